"""Examining a model: every line of its certificate, one after another."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timezone

import torch

from pixelcnn.arguments import image_shape, seed_number, whole_number
from pixelcnn.checkpoint import fingerprint
from pixelcnn.inference.query import check_model
from pixelcnn.models import AutoregressiveModel
from pixelcnn.spec import ImageSpec
from pixelcnn.verification.causality import changes, poison
from pixelcnn.verification.checks import Line, VerificationReport
from pixelcnn.verification.derivatives import derivatives
from pixelcnn.verification.inputs import VerificationInputs, make_inputs
from pixelcnn.verification.levels import levels
from pixelcnn.verification.mass import mass
from pixelcnn.verification.samples import draws
from pixelcnn.verification.walks import neighbours, walks
from pixelcnn.version import versions

CHECKS: tuple[Callable[[VerificationInputs], Iterator[Line]], ...] = (
    derivatives,
    changes,
    poison,
    walks,
    neighbours,
    mass,
    draws,
    levels,
)


def verify(
    model: AutoregressiveModel,
    *,
    size: tuple[int, int] | None = None,
    sites: int | None = None,
    seed: int = 0,
    progress: Callable[[Line], None] | None = None,
) -> VerificationReport:
    """Proves on the very weights what a likelihood and a sampler stand on.

    A model is examined in evaluation mode, with its own weights in their own precision, on images
    of its real size that it drew and on noise; a conditional one with conditions, and without
    them if it serves without. The lines of the certificate:

    * `derivatives`: no sub-pixel sees itself or its future, by derivatives;
    * `field`: it sees nothing outside of the stated receptive field;
    * `colours`: a later colour sees the earlier ones of its pixel (where the network predicts
      colour by colour);
    * `changes`: nor does it feel that all of its future is changed;
    * `poison`: NaN in all that is not known yet never reaches a walk;
    * `cached`: the cached walk predicts what passes over whole images predict;
    * `loss`: what training computes is the score of the walk;
    * `neighbours`: an image does not depend on the others of its batch;
    * `mass`: the probabilities of all images of a small size sum to 1, if there are few enough of
      them, and those of all levels of a sub-pixel given what came before;
    * `draws`: what is drawn follows the exact probabilities, by chi-square;
    * `levels`: levels survive a round trip to floats and back.

    `derivatives`, `field`, `colours` and `changes` look at one site after another, and at a
    sample of them if a model is so large that all would take much longer than a minute; such a
    line says so. All others look at every site, which takes what drawing a few times does.

    Args:
        model: Any architecture, anywhere. It is left in the mode it was in.
        size: Height and width of the images; None for the model's own.
        sites: How many sites to look at one by one; None for as many as half a minute or so of
            one processor core allows, and all where that is enough.
        seed: Decides images, conditions and sites.
        progress: Called with each line as soon as it is known.

    Returns:
        The certificate. `passed` says whether all lines hold; `save` writes it.

    Raises:
        ConfigError: If `sites` or `seed` is out of range, or the model has no size of its own.

    Example:
        >>> from pixelcnn.models import PixelCNN
        >>> model = PixelCNN(hidden_channels=4, num_residual_blocks=1, image_size=(3, 4))
        >>> certificate = verify(model)
        >>> certificate.passed, certificate.lines[0].figure
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
    lines = []
    for line in examine(model, spec, num_sites=num_sites, seed=seed):
        lines.append(line)
        if progress is not None:
            progress(line)
    return VerificationReport(
        lines=tuple(lines),
        fingerprint=fingerprint(model),
        architecture=model.name,
        spec=spec,
        dtype=str(model.embed.like.dtype).removeprefix("torch."),
        device=model.device.type,
        seed=seed,
        made=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        versions=versions(),
    )


def examine(
    model: AutoregressiveModel, spec: ImageSpec, *, num_sites: int | None, seed: int
) -> Iterator[Line]:
    """The lines about a model, each as soon as it is known, with the seconds that it took."""
    was_training = model.training
    model.eval()
    started = time.perf_counter()
    try:
        # On a GPU cuDNN may shorten numbers, or multiply in another domain, where the zeros of a
        # mask come back as rounding.
        with torch.backends.cudnn.flags(enabled=False):
            subject = make_inputs(model, spec, num_sites=num_sites, seed=seed)
            for check in CHECKS:
                for line in check(subject):
                    now = time.perf_counter()
                    yield replace(line, seconds=round(now - started, 3))
                    started = time.perf_counter()
    finally:
        model.train(was_training)
