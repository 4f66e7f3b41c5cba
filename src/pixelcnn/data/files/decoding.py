"""Image files of any common format to levels of 8 bits."""

from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from pixelcnn.data.transforms import resize
from pixelcnn.errors import DataError
from pixelcnn.spec import requantise

LEVELS = 256
SUFFIXES = {
    *(".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".tif", ".tiff"),
}
GREY_MODES = {"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L"}
WIDE_MODES = {"I", "I;16", "I;16B", "I;16L"}
SIDEWAYS = {5, 6, 7, 8}  # EXIF orientations that swap height and width


class Header(NamedTuple):
    """The header of an image.

    Attributes:
        height: After rotation, in pixels.
        width: After rotation, in pixels.
        grey: Whether it has no colours.
    """

    height: int
    width: int
    grey: bool


def read_image_header(file: Path | bytes, name: str | None = None) -> Header:
    """Reads the header of one image.

    Args:
        file: The file, or its content.
        name: Its name in messages; the path by default.

    Raises:
        DataError: If it is no image; the message names it.
    """
    try:
        with Image.open(_stream(file)) as image:
            # Only JPEG has its orientation in front: other formats would be decoded to find it.
            turned = image.format in ("JPEG", "MPO") and image.getexif().get(0x0112) in SIDEWAYS
            size = (image.width, image.height) if turned else (image.height, image.width)
            return Header(*size, image.mode in GREY_MODES)
    except Exception as error:  # as in `read_pixels`
        raise _broken(file, name, error) from error


def decode(
    file: Path | bytes, *, channels: int, size: tuple[int, int], name: str | None = None
) -> Tensor:
    """Reads one image.

    It is rotated by its EXIF orientation, blended with white where it is transparent, and rounded
    to 8 bits where it has more.

    Args:
        file: The file, or its content.
        channels: 1 for grey, 3 for RGB.
        size: Height and width; the image is resized if it has others.
        name: Its name in messages; the path by default.

    Returns:
        Levels in [0, 256). Shape: (C, H, W), uint8.

    Raises:
        DataError: If the file is broken; the message names it.
    """
    x = read_pixels(file, channels=channels, name=name)
    return resize(x[None], levels=LEVELS, size=size)[0].to(torch.uint8)


def read_pixels(file: Path | bytes, *, channels: int, name: str | None = None) -> Tensor:
    """Reads one image as `decode` does, in its own size. (C, h, w), uint8."""
    try:
        with Image.open(_stream(file)) as image:
            pixels = to_bytes(ImageOps.exif_transpose(image), channels)
    except Exception as error:  # decoders raise errors of many types
        raise _broken(file, name, error) from error
    return torch.from_numpy(pixels.reshape(*pixels.shape[:2], channels)).permute(2, 0, 1)


def to_bytes(image: Image.Image, channels: int) -> np.ndarray:
    """Pixels of 8 bits. Shape: (H, W) or (H, W, 3), uint8."""
    if image.mode in WIDE_MODES:
        # Pillow would clip these at 255 instead of scaling them.
        wide = torch.from_numpy(np.asarray(image).astype(np.int64))
        if wide.min() < 0 or wide.max() > 65_535:
            raise ValueError("it holds more than 16 bits; save it with 8 bits per channel")
        image = Image.fromarray(requantise(wide, 65_536, to=LEVELS).to(torch.uint8).numpy())
    if image.mode == "F":
        raise ValueError("it holds floats; save it with 8 bits per channel")
    if image.has_transparency_data:
        over = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), over)
    return np.array(image.convert("L" if channels == 1 else "RGB"))


def _stream(file: Path | bytes) -> Path | BytesIO:
    return BytesIO(file) if isinstance(file, bytes) else file


def _broken(file: Path | bytes, name: str | None, error: Exception) -> DataError:
    label = name or ("the image" if isinstance(file, bytes) else file)
    if isinstance(file, Path) and file.is_symlink() and not file.exists():
        return DataError(
            f"{label} cannot be read as an image: it is a link that leads nowhere, to "
            f"{file.readlink()}. Fetch its content (git annex get, dvc pull), or remove it."
        )
    unknown = isinstance(file, bytes) and "cannot identify" in str(error)
    # Pillow names content by its address in memory.
    reason = "it is no image, or of an unknown format" if unknown else error
    return DataError(f"{label} cannot be read as an image: {reason}. Repair or remove it.")
