"""Whether probabilities sum to one on small images."""

from collections.abc import Iterator

import torch
from torch import Tensor

from pixelcnn.models import AutoregressiveModel
from pixelcnn.order import RasterOrder
from pixelcnn.verification.inputs import VerificationInputs
from pixelcnn.verification.report import Check

MOST_IMAGES = 2**17  # that are enumerated
WORK = 1e11  # multiplications of an enumeration: some seconds of one core
LONGEST_SIDE = 4
MOST_PIXELS = 2**14  # in one pass
MOST_PARAMS = 2**24  # that one pass may return
NUM_CHAINS = 4  # crops whose sub-pixels are enumerated one by one
CHAIN_SIDE = 2  # their height and width
MANY_LEVELS = 4_096  # from here on one crop of one pixel


@torch.no_grad()
def check_mass(inputs: VerificationInputs) -> Iterator[Check]:
    """Sums the probabilities of all small images, and of all levels of one sub-pixel."""
    model, sums, scopes = inputs.model, [], []
    most = int(WORK / model.num_parameters)
    size = small_size(model, inputs.size, MOST_IMAGES, most_pixels=most)
    chains = (NUM_CHAINS, CHAIN_SIDE) if model.num_classes < MANY_LEVELS else (1, 1)
    for cond in inputs.conditions:
        if size is not None:
            every = every_image(model.in_channels, model.num_classes, size).to(model.device)
            one = None if cond is None else crop_cond(model, cond[:1], size)
            sums.append(image_probs(model, every, one).sum()[None])
        crops, conds = crops_of(inputs, cond, *chains)
        for n, crop in enumerate(crops.split(1)):
            sums.append(chain_sums(model, crop, None if conds is None else conds[n : n + 1]))
    if size is not None:
        count = model.num_classes ** (model.in_channels * size[0] * size[1])
        given = "" if model.condition.is_none else " given one condition"
        scopes.append(f"all {count:,} images of {size[0]}×{size[1]} pixels{given}")
    scopes.append(
        f"all levels of each sub-pixel given those before it, in {len(crops)} "
        f"crops of {crops.shape[2]}×{crops.shape[3]} pixels"
    )
    if len(inputs.conditions) > 1:
        scopes.append("each with and without a condition")
    yield Check(
        "mass",
        "Probabilities sum to 1.",
        float((torch.cat(sums) - 1).abs().amax()),
        inputs.tolerance,
        "largest difference between a sum and 1",
        "; ".join(scopes),
        is_sample=False,
    )


def small_size(
    model: AutoregressiveModel, size: tuple[int, int], most_images: int, *, most_pixels: int
) -> tuple[int, int] | None:
    """The largest size with few enough different images; None if one pixel has too many."""
    found = [
        (height * width, min(height, width), (height, width))
        for height in range(1, min(size[0], LONGEST_SIDE) + 1)
        for width in range(1, min(size[1], LONGEST_SIDE) + 1)
        if (count := model.num_classes ** (model.in_channels * height * width)) <= most_images
        and count * height * width <= most_pixels
    ]
    return max(found)[2] if found else None


def every_image(channels: int, levels: int, size: tuple[int, int]) -> Tensor:
    """All images of a small size. (K ** (C × H × W), C, H, W), int64.

    Example:
        >>> every_image(1, 2, (1, 2)).flatten(1).tolist()
        [[0, 0], [0, 1], [1, 0], [1, 1]]
    """
    return every_sequence(channels * size[0] * size[1], levels).view(-1, channels, *size)


def every_sequence(length: int, levels: int) -> Tensor:
    """All sequences of levels, ordered by `sequence_rank`. (K ** length, length), int64."""
    numbers = torch.arange(levels**length)
    return numbers[:, None] // _places(length, levels) % levels


def sequence_rank(sequences: Tensor, levels: int) -> Tensor:
    """Position of each sequence (N, length) in `every_sequence`. (N,)."""
    return (sequences * _places(sequences.shape[1], levels).to(sequences.device)).sum(1)


def _places(length: int, levels: int) -> Tensor:
    """Place values of the digits of a number of base `levels`, the largest first."""
    return levels ** torch.arange(length).flip(0)


def crops_of(
    inputs: VerificationInputs, cond: Tensor | None, count: int, side: int
) -> tuple[Tensor, Tensor | None]:
    """Crops of the middle of images, where there is content; and conditions.

    Every other one is of a sample of the model, the rest are of noise.

    Args:
        inputs: The images to crop.
        cond: A condition for each image, or None.
        count: Crops, at most.
        side: Their height and width, at most.
    """
    height, width = (min(side, full) for full in inputs.size)
    top, left = (
        (full - part) // 2 for full, part in zip(inputs.size, (height, width), strict=True)
    )
    numbers = torch.arange(len(inputs.x)).view(2, -1).T.flatten()[:count]
    crops = inputs.x[numbers, :, top : top + height, left : left + width]
    conds = None if cond is None else crop_cond(inputs.model, cond[numbers], (height, width))
    return crops, conds


def crop_cond(model: AutoregressiveModel, cond: Tensor, size: tuple[int, int]) -> Tensor:
    """Conditions for images of a smaller size: maps are cropped."""
    return cond[:, :, : size[0], : size[1]] if model.condition.kind == "maps" else cond


def image_probs(model: AutoregressiveModel, x: Tensor, cond: Tensor | None) -> Tensor:
    """Probabilities of images given one condition (1, …), by the loss. (N,), float64."""
    return torch.cat([nats.sum((1, 2, 3)) for nats in site_nats(model, x, cond)]).exp()


def site_nats(model: AutoregressiveModel, x: Tensor, cond: Tensor | None) -> Iterator[Tensor]:
    """Log-probabilities of the sub-pixels given one condition (1, …), by the loss, in parts."""
    most = min(MOST_PIXELS, MOST_PARAMS // model.likelihood.num_params)
    for part in x.split(max(1, most // x[0, 0].numel())):
        shared = None if cond is None else cond.expand(len(part), *cond.shape[1:])
        yield model.site_log_prob(part, shared).double()


def chain_sums(model: AutoregressiveModel, x: Tensor, cond: Tensor | None) -> Tensor:
    """Sums the probabilities of all levels of each sub-pixel of an image (1, C, H, W), by the loss.

    If each sum is 1 whatever the earlier levels are, so is the sum over all images.

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
