"""Transforms of images in integer levels: size, binarization, flips, colours."""

import zlib
from typing import Literal

import torch
from torch import Generator, Tensor
from torch.nn import functional

from pixelcnn.errors import importing
from pixelcnn.spec import quantise, to_unit


def resize(x: Tensor, *, levels: int, size: tuple[int, int], nearest: bool = False) -> Tensor:
    """Scales images until they cover a size, then crops the centre.

    Bicubic with antialiasing, rounded to the nearest level; or each pixel that of the image which
    is nearest, so that no new levels arise.

    Args:
        x: Levels in [0, levels). Shape: (B, C, h, w).
        levels: Number of levels K.
        size: Height H and width W wanted, in pixels.
        nearest: Whether to take the nearest pixel: for levels without an order, such as ids.

    Returns:
        Levels. Shape: (B, C, H, W), int64.

    Example:
        >>> resize(torch.full((1, 1, 4, 6), 5), levels=17, size=(2, 2))
        tensor([[[[5, 5],
                  [5, 5]]]])
    """
    if tuple(x.shape[-2:]) == size:
        return x.long()
    if nearest:
        return cover(x.double(), size, mode="nearest-exact").long()
    return quantise(cover(to_unit(x, levels), size, mode="bicubic").clamp(0, 1), levels)


def cover(
    planes: Tensor,
    size: tuple[int, int],
    *,
    mode: Literal["bicubic", "bilinear", "nearest-exact"],
) -> Tensor:
    """Scales floats (B, C, h, w) until they cover a size (H, W), then crops the centre.

    With antialiasing, except by the nearest pixel; "bilinear" keeps to the range of the values,
    "bicubic" may leave it.
    """
    scale = max(want / have for want, have in zip(size, planes.shape[-2:], strict=True))
    # `max`: rounding must not leave a side one pixel short of the crop.
    scaled = [
        max(want, round(have * scale)) for want, have in zip(size, planes.shape[-2:], strict=True)
    ]
    smooth = mode != "nearest-exact"
    planes = functional.interpolate(planes, scaled, mode=mode, antialias=smooth)
    top, left = (have - want for have, want in zip(scaled, size, strict=True))
    return planes[..., top // 2 :, left // 2 :][..., : size[0], : size[1]]


def threshold(x: Tensor, *, levels: int) -> Tensor:
    """Maps levels above the middle of the range to 1, all others to 0."""
    return (2 * x.long() > levels - 1).long()


def sample_binary(x: Tensor, *, levels: int, generator: Generator) -> Tensor:
    """Samples 1 with probability x / (K-1), exactly, and 0 otherwise.

    Args:
        x: Levels in [0, levels). Any shape.
        levels: Number of levels K.
        generator: Source of randomness.

    Returns:
        Zeros and ones. The same shape, int64.

    Example:
        >>> sample_binary(torch.tensor([0, 255]), levels=256, generator=torch.Generator())
        tensor([0, 1])
    """
    # Of the K-1 equally likely integers, x are below x: exact, without floats.
    uniform = torch.randint(levels - 1, x.shape, generator=generator, device=generator.device)
    return (uniform.to(x.device) < x).long()


def sample_binary_fixed(x: Tensor, *, levels: int) -> Tensor:
    """Samples binary images as `sample_binary`, always the same ones from the same images.

    The seed of an image depends on its own pixels alone, so the result does not depend on the
    order, the split or the number of images.

    Args:
        x: Levels in [0, levels). Shape: (B, C, H, W).
        levels: Number of levels K.

    Returns:
        Zeros and ones. Shape: (B, C, H, W), int64.
    """

    def sample(image: Tensor) -> Tensor:
        seed = zlib.crc32(image.to("cpu", torch.int32).contiguous().numpy().tobytes())
        return sample_binary(image, levels=levels, generator=torch.Generator().manual_seed(seed))

    return torch.stack([sample(image) for image in x])


def mutate(x: Tensor, *, levels: int, rate: float, generator: Generator) -> Tensor:
    """Replaces sub-pixels by uniform levels, each with the same small probability.

    A model trained on such images is a background model: it learns the local statistics of pixels
    and less of the content.

    Args:
        x: Levels in [0, levels). Any shape.
        levels: Number of levels K.
        rate: Probability of a replacement, in [0, 1). Its level may be the old one by chance.
        generator: Source of randomness.

    Returns:
        Levels. The same shape and type.

    References:
        Likelihood ratios for out-of-distribution detection (Ren et al., 2019), section 3,
        https://arxiv.org/abs/1906.02845.

    Example:
        >>> x = torch.zeros(1000).long()
        >>> changed = mutate(x, levels=256, rate=0.2, generator=torch.Generator().manual_seed(0))
        >>> round((changed != x).double().mean().item(), 1), changed.max().item() <= 255
        (0.2, True)
    """
    device = generator.device
    chosen = torch.rand(x.shape, generator=generator, device=device) < rate
    random = torch.randint(levels, x.shape, generator=generator, device=device)
    return torch.where(chosen.to(x.device), random.to(x.device, x.dtype), x)


def choose_flips(count: int, *, generator: Generator) -> Tensor:
    """Chooses each of `count` images with probability one half. Shape: (count,), bool."""
    return torch.randint(2, (count,), generator=generator, device=generator.device).bool()


def flip(x: Tensor, chosen: Tensor) -> Tensor:
    """Mirrors the chosen images left to right.

    Args:
        x: Shape: (B, C, H, W).
        chosen: The images to mirror. Shape: (B,), bool.
    """
    return torch.where(chosen.to(x.device)[:, None, None, None], x.flip(-1), x)


def jitter_colours(x: Tensor, strength: float, *, generator: Generator) -> Tensor:
    """Changes brightness, then contrast, then saturation of each image by a factor of its own.

    A model trained on such images learns *their* density, not that of the original images: levels
    at both ends become more frequent, and colours of no image become likely.

    Args:
        x: RGB in 256 levels. Shape: (B, 3, H, W).
        strength: Factors are uniform in [1 - strength, 1 + strength]; in [0, 1).
        generator: Source of randomness; three numbers per image.

    Returns:
        Levels, rounded to the nearest. Shape: (B, 3, H, W), int64.

    Example:
        >>> grey = torch.full((1, 3, 2, 2), 100)
        >>> seen = jitter_colours(grey, 0.5, generator=torch.Generator().manual_seed(1))
        >>> seen.unique().tolist()  # brightness × 1.2576; plain grey has no contrast and no colour
        [126]
    """
    with importing("train"):
        from torchvision.transforms.v2 import functional as colours  # type: ignore[import-untyped]

    uniform = torch.rand(len(x), 3, generator=generator, device=generator.device)
    factors = (1 + strength * (2 * uniform - 1)).tolist()
    changes = (colours.adjust_brightness, colours.adjust_contrast, colours.adjust_saturation)

    def change(image: Tensor, each: list[float]) -> Tensor:
        for adjust, factor in zip(changes, each, strict=True):
            image = adjust(image, factor)
        return image

    # In floats: torchvision truncates bytes where it should round.
    unit = to_unit(x, 256)
    return quantise(torch.stack([change(*pair) for pair in zip(unit, factors, strict=True)]), 256)
