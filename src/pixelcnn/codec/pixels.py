"""Levels of a model and pixels of files, where each stands for the other without loss."""

from enum import IntEnum
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pixelcnn.errors import DataError
from pixelcnn.spec import requantise


class PixelFormat(IntEnum):
    """What an image was and becomes again; the numbers are part of the format of files."""

    LEVELS = 1
    BILEVEL = 2
    GREY_8 = 3
    GREY_16 = 4
    RGB_8 = 5

    @property
    def depth(self) -> int:
        """Values of a channel of the file."""
        return {PixelFormat.BILEVEL: 2, PixelFormat.GREY_16: 65_536}.get(self, 256)


FORMATS = {
    "1": PixelFormat.BILEVEL,
    **dict.fromkeys(("L", "LA"), PixelFormat.GREY_8),
    **dict.fromkeys(("I", "I;16", "I;16B", "I;16L"), PixelFormat.GREY_16),
    **dict.fromkeys(("P", "RGB", "RGBA"), PixelFormat.RGB_8),
}
"""Modes of Pillow. A palette becomes its colours; transparency must be opaque everywhere."""


def format_of(image: Image.Image, name: str | Path) -> PixelFormat:
    """The format of an opened file, from its header.

    Raises:
        DataError: If its pixels cannot be kept exactly.
    """
    if getattr(image, "n_frames", 1) > 1:
        raise DataError(f"{name} must be a single image, got an animation. Save its frames.")
    found = FORMATS.get(image.mode)
    tiles = getattr(image, "tile", None)
    raw = str(tiles[0][3]) if tiles else ""
    # Pillow opens colours of 16 bits as 8 bits, and drops the rest.
    if found is None or (found != PixelFormat.GREY_16 and "16" in raw):
        kind = "16 bits per colour" if found else f"mode {image.mode}"
        raise DataError(
            f"{name} must hold 1, 8 or 16 bits of grey, or 8 bits of each of red, green and blue, "
            f"got {kind}. Convert it, or give its levels in an .npz file."
        )
    return found


def read_exactly(path: Path | bytes, name: str | Path, *, channels: int, levels: int) -> Tensor:
    """Reads an image file as levels of a model, without any change.

    Args:
        path: The file, or its content.
        name: Its name in messages.
        channels: C of the model: 1 or 3. A grey image becomes three equal channels, and an RGB
            image whose channels are equal becomes one.
        levels: K. Each value of the file must be one of those that the K levels are spread to.

    Returns:
        (C, H, W), uint8 or, above 256 levels, int32.

    Raises:
        DataError: If the file cannot be read, or the model lacks its levels, colours or
            transparency.
    """
    try:
        with Image.open(BytesIO(path) if isinstance(path, bytes) else path) as image:
            kind = format_of(image, name)
            values = _values(image, kind, name)
    except DataError:
        raise
    except Exception as error:  # decoders raise errors of many types
        raise DataError(f"{name} cannot be read as an image: {error}. Repair it.") from error
    found = requantise(values, kind.depth, to=levels)
    back = requantise(found, levels, to=kind.depth)
    if not back.equal(values):
        odd = int(values[back != values][0])
        raise DataError(
            f"{name} holds the value {odd} of {kind.depth:,}, which none of the {levels:,} levels "
            f"of the model stands for. Use a model of more levels, or quantise the image."
        )
    return _in_channels(found, channels, name).to(torch.uint8 if levels <= 256 else torch.int32)


def to_file_image(x: Tensor, kind: PixelFormat, *, levels: int) -> Image.Image:
    """The image of a file for levels (C, H, W).

    Raises:
        DataError: If no image file can hold them.
    """
    channels, depth = len(x), kind.depth
    if kind == PixelFormat.LEVELS:
        depth = 256 if levels <= 256 else 65_536
        if channels not in (1, 3) or (channels == 3 and depth > 256):
            raise DataError(
                f"Image files hold 1 channel, or 3 of at most 256 levels, got {channels} of "
                f"{levels:,}. Write the levels into an .npz file: -o FILE.npz."
            )
    values = requantise(x.long(), levels, to=depth)
    is_colour = kind == PixelFormat.RGB_8 or (kind == PixelFormat.LEVELS and channels == 3)
    if not is_colour:
        pixels = values[0].numpy()
        if kind == PixelFormat.BILEVEL:
            return Image.fromarray(pixels.astype(np.uint8) * 255).convert("1")
        return Image.fromarray(pixels.astype(np.uint8 if depth <= 256 else np.uint16))
    return Image.fromarray(values.expand(3, -1, -1).permute(1, 2, 0).numpy().astype(np.uint8))


def _values(image: Image.Image, kind: PixelFormat, name: str | Path) -> Tensor:
    """Values of the file. (c, H, W), int64."""
    if image.has_transparency_data:
        alpha = np.asarray(image.convert("RGBA"))[:, :, 3]
        if alpha.min() < 255:
            raise DataError(
                f"{name} has transparent pixels, which the model lacks. Save it without "
                f"transparency."
            )
    if kind == PixelFormat.RGB_8:
        image = image.convert("RGB")
    elif image.mode == "LA":
        image = image.convert("L")
    pixels = np.asarray(image).astype(np.int64)
    if pixels.min() < 0 or pixels.max() >= kind.depth:
        raise DataError(f"{name} must hold at most 16 bits. Save it with 8 or 16 bits.")
    return torch.from_numpy(pixels.reshape(*pixels.shape[:2], -1)).permute(2, 0, 1)


def _in_channels(x: Tensor, channels: int, name: str | Path) -> Tensor:
    if channels not in (1, 3):
        raise DataError(
            f"Image files need a model of 1 or 3 channels, got one of {channels}. Give levels in "
            f"an .npz file."
        )
    if len(x) > channels:
        if not bool((x == x[:1]).all()):
            raise DataError(
                f"{name} has colours, which a model of grey images lacks. Use a model of RGB "
                f"images, or save it in grey."
            )
        return x[:1]
    return x.expand(channels, -1, -1)
