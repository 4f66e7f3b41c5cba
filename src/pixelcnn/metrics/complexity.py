"""Complexity of images: their bits under a lossless compressor for any data set."""

import io

import torch
from PIL import Image
from torch import Tensor

from pixelcnn.errors import ShapeError
from pixelcnn.spec import check_levels


def png_bits(x: Tensor, levels: int) -> Tensor:
    """Bits of each image as a PNG file, an upper bound of its complexity.

    A pixel of two levels takes one bit, of up to 256 levels one byte, of more two. Three channels
    of up to 256 levels are RGB; other numbers of channels are laid side by side. The header of the
    file has a constant size, which counts but changes no ranking.

    Args:
        x: Levels in [0, levels). (N, C, H, W).
        levels: Number of levels K, up to 65,536.

    Returns:
        (N,), float64.

    Raises:
        ShapeError: If `x` is not (N, C, H, W) of levels.

    References:
        Input complexity and out-of-distribution detection with likelihood-based generative models
        (Serrà et al., 2020), section 3, https://arxiv.org/abs/1909.11480.

    Example:
        >>> flat = torch.zeros(1, 1, 28, 28).long()
        >>> noise = torch.randint(256, flat.shape, generator=torch.Generator().manual_seed(0))
        >>> [round(bits) for bits in (png_bits(torch.cat([flat, noise]), 256) / 784).tolist()]
        [1, 9]
    """
    if x.ndim != 4:
        raise ShapeError(f"`x` must be levels (N, C, H, W), got shape {tuple(x.shape)}.")
    check_levels(x, levels)
    return torch.tensor([8.0 * _file_size(image, levels) for image in x.cpu()]).double()


def _file_size(image: Tensor, levels: int) -> int:
    """Bytes of one image (C, H, W)."""
    is_colour = image.shape[0] == 3 and levels <= 256
    pixels = image.permute(1, 2, 0) if is_colour else torch.cat(list(image), 1)
    stored = pixels.to(torch.uint8 if levels <= 256 else torch.uint16).contiguous().numpy()
    picture = Image.fromarray(stored * 255 if levels == 2 else stored)
    if levels == 2 and not is_colour:
        picture = picture.convert("1")
    file = io.BytesIO()
    picture.save(file, format="PNG", optimize=True)
    return len(file.getvalue())
