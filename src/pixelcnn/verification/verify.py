"""Runs all checks of a model, one after another."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timezone

import torch

from pixelcnn.arguments import image_shape, named_arguments, seed_number, whole_number
from pixelcnn.checkpoint import fingerprint
from pixelcnn.inference.query import check_model
from pixelcnn.models import AutoregressiveModel
from pixelcnn.spec import ImageSpec
from pixelcnn.verification.causality import check_changed_inputs, check_unknown_pixels
from pixelcnn.verification.consistency import check_batches, check_round_trip, check_walks
from pixelcnn.verification.gradients import check_gradients
from pixelcnn.verification.inputs import VerificationInputs, make_inputs
from pixelcnn.verification.mass import check_mass
from pixelcnn.verification.report import Check, VerificationReport
from pixelcnn.verification.samples import check_samples
from pixelcnn.version import versions

CHECKS: tuple[Callable[[VerificationInputs], Iterator[Check]], ...] = (
    check_gradients,
    check_changed_inputs,
    check_unknown_pixels,
    check_walks,
    check_batches,
    check_mass,
    check_samples,
    check_round_trip,
)


@named_arguments
def verify(
    model: AutoregressiveModel,
    *,
    size: tuple[int, int] | None = None,
    sites: int | None = None,
    seed: int = 0,
    progress: Callable[[Check], None] | None = None,
) -> VerificationReport:
    """Checks the weights of a model: causality, caches, likelihood and sampler.

    The model is checked in evaluation mode, in its own precision, on samples of its own at its
    real size and on images of noise; a conditional one with conditions, and also without them if
    it accepts none. The checks of the report:

    * `causality_gradients`: no prediction depends on its own sub-pixel or a later one, by
      gradients;
    * `receptive_field`: none depends on a pixel outside of the stated receptive field;
    * `colour_order`: every colour depends on the earlier colours of its pixel (only where the
      network predicts colour by colour);
    * `causality_inputs`: changing a sub-pixel and all later ones changes no prediction;
    * `unknown_pixels`: a walk never reads a pixel that is not known yet (it is NaN there);
    * `cached_equals_full`: the cached walk predicts what a full pass predicts;
    * `walk_equals_loss`: the walk scores an image with the log-probability of the training loss;
    * `batch_independence`: the score of an image does not depend on the others of its batch;
    * `mass`: the probabilities of all images of a small size sum to 1, if they can be enumerated,
      and those of all levels of a sub-pixel given the earlier ones;
    * `samples_follow_likelihood`: samples follow the exact probabilities, by a chi-square test;
    * `level_round_trip`: levels survive the conversion to floats and back.

    The first four of these go site by site. They check all sites of a small model, and a sample of
    the sites of a large one, where all would take much longer than a minute; `Check.scope` and
    `Check.is_sample` say which. The others check every site of a few images.

    Args:
        model: Any architecture, on any device. It stays in its mode.
        size: Height and width of the images; None for the model's own.
        sites: Number of sites to check one by one, at least 1; None for as many as about half a
            minute of one processor core allows.
        seed: Chooses images, conditions and sites.
        progress: Called with each check as soon as it is done.

    Returns:
        The report. `passed` is true if all checks passed; `save` writes it.

    Raises:
        ConfigError: If `sites` or `seed` is out of range, or the model has no size of its own.

    Example:
        >>> from pixelcnn.models import PixelCNN
        >>> model = PixelCNN(hidden_channels=4, num_residual_blocks=1, image_size=(3, 4))
        >>> report = verify(model)
        >>> report.passed, report.checks[0].value
        (True, 0.0)
    """
    check_model(model)
    num_sites = None if sites is None else whole_number("sites", sites)
    seed = seed_number(seed)
    if size is None:
        spec = model.spec
    else:
        height, width = image_shape(size, "H, W", name="size")
        spec = ImageSpec(model.in_channels, height, width, model.num_classes)
    checks = []
    for check in run_checks(model, spec, num_sites=num_sites, seed=seed):
        checks.append(check)
        if progress is not None:
            progress(check)
    return VerificationReport(
        checks=tuple(checks),
        fingerprint=fingerprint(model),
        architecture=model.name,
        spec=spec,
        dtype=str(model.embed.like.dtype).removeprefix("torch."),
        device=model.device.type,
        seed=seed,
        made=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        versions=versions(),
    )


def run_checks(
    model: AutoregressiveModel, spec: ImageSpec, *, num_sites: int | None, seed: int
) -> Iterator[Check]:
    """Yields each check of a model as soon as it is done, with its seconds."""
    was_training = model.training
    model.eval()
    started = time.perf_counter()
    try:
        # On a GPU cuDNN may use fewer bits, or multiply in another domain, where the zeros of a
        # mask come back as rounding.
        with torch.backends.cudnn.flags(enabled=False):
            inputs = make_inputs(model, spec, num_sites=num_sites, seed=seed)
            for run_check in CHECKS:
                for check in run_check(inputs):
                    now = time.perf_counter()
                    yield replace(check, seconds=round(now - started, 3))
                    started = time.perf_counter()
    finally:
        model.train(was_training)
