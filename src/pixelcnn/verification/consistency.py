"""Whether several ways to compute one number agree: walks, passes, the loss, levels as floats."""

from collections.abc import Iterator

import torch
from torch import Tensor

from pixelcnn.models import AutoregressiveModel
from pixelcnn.order import Front
from pixelcnn.spec import quantise, requantise, to_unit
from pixelcnn.verification.causality import describe_modes, walk_modes
from pixelcnn.verification.inputs import VerificationInputs
from pixelcnn.verification.report import Check
from pixelcnn.walk import CachedStepper, walk

DTYPES = (torch.float32, torch.float64)
FILE_LEVELS = 256  # levels of a sub-pixel in an image file
DIFFERENCE = "largest difference at a sub-pixel, in nats, relative where it has more than 1 nat"


@torch.no_grad()
def check_walks(inputs: VerificationInputs) -> Iterator[Check]:
    """Compares cached walks over given images with full passes over them.

    Later sub-pixels do not change such a pass (the causality checks), so it predicts what a naive
    walk with a pass for every sub-pixel would.
    """
    model, x = inputs.model, inputs.x
    distance = difference = torch.zeros((), dtype=torch.float64, device=x.device)
    for cond in inputs.conditions:
        loss = model.site_log_prob(x, cond).double()
        for wavefront in walk_modes(model):
            furthest, nats = score_by_walk(model, x, cond, wavefront=wavefront)
            distance = torch.maximum(distance, furthest)
            difference = torch.maximum(difference, relative(loss, nats))
    twice = ", with and without a condition" if len(inputs.conditions) > 1 else ""
    scope = (
        f"all {x[0].numel():,} sub-pixels of {len(x)} images, "
        f"{describe_modes(walk_modes(model))}{twice}"
    )
    yield Check(
        "cached_equals_full",
        "The cached walk predicts what a full pass predicts.",
        float(distance),
        inputs.tolerance,
        "largest total variation between the predictions",
        scope,
        is_sample=False,
    )
    yield Check(
        "walk_equals_loss",
        "The walk scores an image with the log-probability of the training loss.",
        float(difference),
        inputs.tolerance,
        DIFFERENCE,
        scope,
        is_sample=False,
    )


def score_by_walk(
    model: AutoregressiveModel, x: Tensor, cond: Tensor | None, *, wavefront: bool
) -> tuple[Tensor, Tensor]:
    """One cached walk over images.

    Args:
        model: In evaluation mode.
        x: Images. (B, C, H, W).
        cond: Their conditions.
        wavefront: Whether to take several rows at once.

    Returns:
        The largest total variation between its predictions and those of a full pass, a scalar;
        and the log-probability, in nats, of each level of `x` along the walk. (B, C, H, W),
        float64.
    """
    params = model(x, cond)
    nats = torch.zeros(x.shape, dtype=torch.float64, device=x.device)
    worst = torch.zeros((), dtype=torch.float64, device=x.device)

    def choose(logits: Tensor, front: Front) -> Tensor:
        earlier = front.pixels_of(x)[:, :, : front.channel].flatten(0, 1)
        pixels = front.pixels_of(params).flatten(0, 1)
        whole = model.likelihood.level_logits(pixels, earlier, front.channel)
        walked = logits.double().log_softmax(1)
        distance = (walked.exp() - whole.double().softmax(1)).abs().sum(1) / 2
        worst.copy_(torch.maximum(worst, distance.amax()))
        levels = front.of(x).flatten()
        target = front.of(nats)
        target.copy_(walked.gather(1, levels[:, None]).view(target.shape))
        return levels

    walk(CachedStepper(model, wavefront=wavefront), torch.zeros_like(x), choose, cond=cond)
    return worst, nats


def relative(nats: Tensor, others: Tensor) -> Tensor:
    """Largest difference of log-probabilities, relative where they are below -1; a scalar.

    A float resolves less far from zero, and events of such a low probability hardly count.

    Example:
        >>> relative(torch.tensor([-0.5, -100.0]), torch.tensor([-0.25, -101.0]))
        tensor(0.2500)
    """
    return ((nats - others).abs() / nats.abs().clamp(min=1)).amax()


@torch.no_grad()
def check_batches(inputs: VerificationInputs) -> Iterator[Check]:
    """Compares the scores of images in one batch with those of each image alone."""
    model, x, cond = inputs.model, inputs.x, inputs.cond
    together = model.site_log_prob(x, cond).double()
    alone = [
        model.site_log_prob(x[n : n + 1], None if cond is None else cond[n : n + 1]).double()
        for n in range(len(x))
    ]
    yield Check(
        "batch_independence",
        "The score of an image does not depend on the other images of its batch.",
        float(relative(together, torch.cat(alone))),
        inputs.tolerance,
        DIFFERENCE,
        f"all {x[0].numel():,} sub-pixels of {len(x)} images, in one batch and one by one",
        is_sample=False,
    )


def check_round_trip(inputs: VerificationInputs) -> Iterator[Check]:
    """Converts every level to floats, and to the bytes of an image file, and back."""
    count = inputs.model.num_classes
    x = torch.arange(count)
    backs = [quantise(to_unit(x, count, dtype=dtype), count) for dtype in DTYPES]
    ways = "as float32 and float64"
    if count <= FILE_LEVELS:
        backs.append(requantise(requantise(x, count, to=FILE_LEVELS), FILE_LEVELS, to=count))
        ways = f"{ways}, and as bytes of an image file"
    yield Check(
        "level_round_trip",
        "Levels survive the conversion to floats and bytes and back.",
        float(torch.stack([back != x for back in backs]).any(0).sum()),
        0.0,
        "levels that change",
        f"all {count:,} levels, {ways}",
        is_sample=False,
    )
