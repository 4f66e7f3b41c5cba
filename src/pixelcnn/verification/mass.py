"""Whether probabilities sum to one on small images."""

from collections.abc import Iterator

import torch
from torch import Tensor

from pixelcnn.models import AutoregressiveModel
from pixelcnn.order import RasterOrder
from pixelcnn.verification.checks import Line
from pixelcnn.verification.inputs import VerificationInputs

MOST_IMAGES = 2**17  # different ones that are summed over
WORK = 1e11  # multiplications that summing may cost: some seconds of one core
LONGEST_SIDE = 4
MOST_PIXELS = 2**14  # in one pass
MOST_PARAMS = 2**24  # that a pass may give
NUM_CHAINS = 4  # crops whose sub-pixels are summed over one by one
CHAIN_SIDE = 2  # their height and width
MANY_LEVELS = 4_096  # from which on it is one crop of one pixel


@torch.no_grad()
def mass(subject: VerificationInputs) -> Iterator[Line]:
    """The sum of the probabilities of all small images, and of all levels of one sub-pixel."""
    model, sums, looked_at = subject.model, [], []
    most = int(WORK / model.num_parameters)
    size = small_size(model, subject.size, MOST_IMAGES, most_pixels=most)
    chains = (NUM_CHAINS, CHAIN_SIDE) if model.num_classes < MANY_LEVELS else (1, 1)
    for cond in subject.conditions:
        if size is not None:
            every = every_image(model.in_channels, model.num_classes, size).to(model.device)
            one = None if cond is None else crop_cond(model, cond[:1], size)
            sums.append(image_probs(model, every, one).sum()[None])
        crops, conds = crops_of(subject, cond, *chains)
        for n, crop in enumerate(crops.split(1)):
            sums.append(chain_sums(model, crop, None if conds is None else conds[n : n + 1]))
    if size is not None:
        count = model.num_classes ** (model.in_channels * size[0] * size[1])
        told = "" if model.condition.is_none else " given one condition"
        looked_at.append(f"all {count:,} images of {size[0]}×{size[1]} pixels{told}")
    looked_at.append(
        f"all levels of each sub-pixel given those before it, in {len(crops)} "
        f"crops of {crops.shape[2]}×{crops.shape[3]} pixels"
    )
    if len(subject.conditions) > 1:
        looked_at.append("each with and without a condition")
    yield Line(
        "mass",
        "Probabilities sum to 1.",
        float((torch.cat(sums) - 1).abs().amax()),
        subject.tolerance,
        "largest distance of a sum from 1",
        "; ".join(looked_at),
        is_sample=False,
    )


def small_size(
    model: AutoregressiveModel, size: tuple[int, int], most_images: int, *, most_pixels: int
) -> tuple[int, int] | None:
    """The largest size of which there are few enough images; None if not even of one pixel.

    Args:
        model: Tells channels and levels.
        size: Height and width that must not be exceeded.
        most_images: How many different images there may be.
        most_pixels: How many pixels they may have together.
    """
    found = []
    for height in range(1, min(size[0], LONGEST_SIDE) + 1):
        for width in range(1, min(size[1], LONGEST_SIDE) + 1):
            pixels = height * width
            count = model.num_classes ** (model.in_channels * pixels)
            if count <= most_images and count * pixels <= most_pixels:
                found.append((pixels, min(height, width), (height, width)))
    return max(found)[2] if found else None


def every_image(channels: int, levels: int, size: tuple[int, int]) -> Tensor:
    """All images of a small size. (K ** (C × H × W), C, H, W), int64.

    Example:
        >>> every_image(1, 2, (1, 2)).flatten(1).tolist()
        [[0, 0], [0, 1], [1, 0], [1, 1]]
    """
    return every_sequence(channels * size[0] * size[1], levels).view(-1, channels, *size)


def every_sequence(length: int, levels: int) -> Tensor:
    """All sequences of so many levels, in the order of `rank`. (K ** length, length), int64."""
    numbers = torch.arange(levels**length)
    return numbers[:, None] // _places(length, levels) % levels


def rank(sequences: Tensor, levels: int) -> Tensor:
    """Which of `every_sequence` each of some (N, length) is. (N,)."""
    return (sequences * _places(sequences.shape[1], levels).to(sequences.device)).sum(1)


def _places(length: int, levels: int) -> Tensor:
    """What each digit of a number of base `levels` is worth, the first one most."""
    return levels ** torch.arange(length).flip(0)


def crops_of(
    subject: VerificationInputs, cond: Tensor | None, count: int, side: int
) -> tuple[Tensor, Tensor | None]:
    """Crops out of the middle of images, where there is something to see; and conditions.

    Every other one is of an image that the model drew, the rest are of noise.

    Args:
        subject: Whose images these are.
        cond: A condition for each image, or None.
        count: Crops, at most.
        side: Their height and width, at most.
    """
    height, width = (min(side, full) for full in subject.size)
    top, left = (
        (full - part) // 2 for full, part in zip(subject.size, (height, width), strict=True)
    )
    turns = torch.arange(len(subject.x)).view(2, -1).T.flatten()[:count]
    crops = subject.x[turns, :, top : top + height, left : left + width]
    conds = None if cond is None else crop_cond(subject.model, cond[turns], (height, width))
    return crops, conds


def crop_cond(model: AutoregressiveModel, cond: Tensor, size: tuple[int, int]) -> Tensor:
    """Conditions for images of a smaller size: maps are cut."""
    return cond[:, :, : size[0], : size[1]] if model.condition.kind == "maps" else cond


def image_probs(model: AutoregressiveModel, x: Tensor, cond: Tensor | None) -> Tensor:
    """Probabilities of images under one condition (1, …), by the loss. (N,), float64."""
    return torch.cat([nats.sum((1, 2, 3)) for nats in site_nats(model, x, cond)]).exp()


def site_nats(model: AutoregressiveModel, x: Tensor, cond: Tensor | None) -> Iterator[Tensor]:
    """Log-probabilities of the sub-pixels under one condition (1, …), by the loss, in parts."""
    most = min(MOST_PIXELS, MOST_PARAMS // model.likelihood.num_params)
    for part in x.split(max(1, most // x[0, 0].numel())):
        shared = None if cond is None else cond.expand(len(part), *cond.shape[1:])
        yield model.site_log_prob(part, shared).double()


def chain_sums(model: AutoregressiveModel, x: Tensor, cond: Tensor | None) -> Tensor:
    """For every sub-pixel of an image, the sum of the probabilities of all levels, by the loss.

    Where each is 1 whatever came before, so is the sum over all images.

    Args:
        model: Any.
        x: The image. (1, C, H, W).
        cond: Its condition. (1, …).

    Returns:
        (C × H × W,), float64.
    """
    sums = []
    for site in RasterOrder(*x.shape[1:]):
        at = (slice(None), *site)
        every = x.repeat(model.num_classes, 1, 1, 1)
        every[at] = torch.arange(model.num_classes, device=x.device)
        sums.append(torch.cat([nats[at] for nats in site_nats(model, every, cond)]).exp().sum())
    return torch.stack(sums)
