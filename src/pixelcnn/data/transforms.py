"""Images to images, in integer levels: size, binarization, flips."""

import zlib

import torch
from torch import Generator, Tensor
from torch.nn import functional

from pixelcnn.spec import quantise, to_unit


def resize(x: Tensor, *, levels: int, size: tuple[int, int]) -> Tensor:
    """Scales images until they cover a size, then crops the centre.

    Bicubic with antialiasing, rounded to the nearest level.

    Args:
        x: Levels in [0, levels). Shape: (B, C, h, w).
        levels: Number of levels K.
        size: Height H and width W wanted, in pixels.

    Returns:
        Levels. Shape: (B, C, H, W), int64.

    Example:
        >>> resize(torch.full((1, 1, 4, 6), 5), levels=17, size=(2, 2))
        tensor([[[[5, 5],
                  [5, 5]]]])
    """
    if tuple(x.shape[-2:]) == size:
        return x.long()
    scale = max(want / have for want, have in zip(size, x.shape[-2:], strict=True))
    # `max`: rounding must not leave a side one pixel short of the crop.
    cover = [max(want, round(have * scale)) for want, have in zip(size, x.shape[-2:], strict=True)]
    unit = functional.interpolate(to_unit(x, levels), cover, mode="bicubic", antialias=True)
    top, left = (have - want for have, want in zip(cover, size, strict=True))
    crop = unit[..., top // 2 :, left // 2 :][..., : size[0], : size[1]]
    return quantise(crop.clamp(0, 1), levels)


def threshold(x: Tensor, *, levels: int) -> Tensor:
    """Maps levels above the middle of the range to 1, all others to 0.

    Example:
        >>> threshold(torch.tensor([0, 127, 128, 255]), levels=256)  # at 127.5
        tensor([0, 0, 1, 1])
    """
    return (2 * x.long() > levels - 1).long()


def draw_binary(x: Tensor, *, levels: int, generator: Generator) -> Tensor:
    """Draws 1 with probability x / (K-1), exactly, and 0 otherwise.

    Args:
        x: Levels in [0, levels). Any shape.
        levels: Number of levels K.
        generator: Where the draws come from.

    Returns:
        Zeros and ones. The same shape, int64.

    Example:
        >>> draw_binary(torch.tensor([0, 255]), levels=256, generator=torch.Generator())
        tensor([0, 1])
    """
    # Of the K-1 equally likely integers, x are below x: no rounding of floats in between.
    dice = torch.randint(levels - 1, x.shape, generator=generator, device=generator.device)
    return (dice.to(x.device) < x).long()


def draw_binary_once(x: Tensor, *, levels: int) -> Tensor:
    """Draws binary images as `draw_binary`, always the same ones from the same grey images.

    The draws of an image depend on its own pixels alone, so they stay the same whatever the
    order, the split or the number of images.

    Args:
        x: Levels in [0, levels). Shape: (B, C, H, W).
        levels: Number of levels K.

    Returns:
        Zeros and ones. Shape: (B, C, H, W), int64.
    """

    def draw(image: Tensor) -> Tensor:
        seed = zlib.crc32(image.to("cpu", torch.int32).contiguous().numpy().tobytes())
        return draw_binary(image, levels=levels, generator=torch.Generator().manual_seed(seed))

    return torch.stack([draw(image) for image in x])


def flip_some(x: Tensor, *, generator: Generator) -> Tensor:
    """Mirrors each image left to right with probability one half. Shape: (B, C, H, W)."""
    coins = torch.randint(2, (len(x), 1, 1, 1), generator=generator, device=generator.device)
    return torch.where(coins.to(x.device).bool(), x.flip(-1), x)
