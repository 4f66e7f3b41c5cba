"""Image files of any common format to levels."""

import warnings
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path

import torch
from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError
from torch import Tensor

from pixelcnn.data.files.image_header import SAVE_ARRAYS, Header, UnsuitedError, image_header_of
from pixelcnn.data.files.pixels import Pixels, pixels_of
from pixelcnn.data.transforms import resize
from pixelcnn.errors import DataError
from pixelcnn.spec import requantise

ORIENTATION = ExifTags.Base.Orientation
TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
MAX_PIXELS = 64_000_000  # a small file can decode to any number
LEVELS = 256  # of images whose bits are not stated
SUFFIXES = {
    *(".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".tif", ".tiff"),
}


@dataclass(frozen=True)
class DecodingOptions:
    """How the pixels of image files become levels.

    Attributes:
        channels: 1 for grey, 3 for RGB.
        bits: Bits per channel that the files use, whose levels are kept exactly; None for 8, to
            which files of more bits are rounded.
        size: Height and width to which images are scaled and cropped; None to keep theirs.
        categorical: Whether levels have no order, like the ids of a mask: images are scaled to the
            nearest pixel, and the indices of a palette are the levels.
    """

    channels: int
    bits: int | None = None
    size: tuple[int, int] | None = None
    categorical: bool = False

    @property
    def levels(self) -> int:
        """Number of levels K."""
        return LEVELS if self.bits is None else 2**self.bits


def read_image_header(file: Path | bytes, name: str | None = None) -> Header:
    """Reads the header of one image.

    Args:
        file: The file, or its content.
        name: Its name in messages; the path by default.

    Raises:
        DataError: If it is no image; the message names it.
    """
    try:
        with _open(file) as image:
            return image_header_of(image)
    except Exception as error:  # as in `read_pixels`
        raise _broken(file, name, error) from error


def decode(
    file: Path | bytes, form: DecodingOptions, *, page: int = 0, name: str | None = None
) -> Tensor:
    """Reads one image: rotated by its EXIF orientation, blended with white where transparent.

    Args:
        file: The file, or its content.
        form: The levels, channels and size wanted.
        page: Number of the page, of a file of several.
        name: Its name in messages; the path by default.

    Returns:
        Levels in [0, K). Shape: (C, H, W), integers.

    Raises:
        DataError: If the file is broken, or uses more than the stated bits; the message names it.
    """
    pixels = read_pixels(file, form, page=page, name=name)
    try:
        x = to_levels(pixels, form, name or str(file))
        if form.size is None:
            return x
        return resize(x[None], levels=form.levels, size=form.size, nearest=form.categorical)[0]
    except (MemoryError, RuntimeError) as error:  # PyTorch's, where memory is short
        large = MemoryError(f"its {pixels.x.shape[0]:,}×{pixels.x.shape[1]:,} pixels are too many")
        raise _broken(file, name, large) from error


def read_pixels(
    file: Path | bytes, form: DecodingOptions, *, page: int = 0, name: str | None = None
) -> Pixels:
    """The pixels of one image as the file holds them, in its own size; as `decode` reads them."""
    try:
        return pixels_of(partial(_open, file, page), form.channels, indices=form.categorical)
    except Exception as error:  # decoders raise errors of many types
        raise _broken(file, name, error) from error


def to_levels(pixels: Pixels, form: DecodingOptions, name: str) -> Tensor:
    """Pixels as levels in [0, K). (C, h, w), integers.

    Raises:
        DataError: If they use more than the stated bits.
    """
    x = torch.from_numpy(pixels.x).permute(2, 0, 1)
    if form.bits is None:
        return x if pixels.levels == LEVELS else requantise(x, pixels.levels, to=LEVELS)
    if int(x.max()) >= form.levels:
        raise DataError(
            f"{name} must hold levels from 0 to {form.levels - 1:,}, as `data.bits={form.bits}` "
            f"says, got up to {int(x.max()):,}. State more bits, or leave it out."
        )
    return x


def _open(file: Path | bytes, page: int = 0) -> ImageFile.ImageFile:
    with warnings.catch_warnings():
        # Its own limit is higher than ours, and only warns.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        image = Image.open(BytesIO(file) if isinstance(file, bytes) else file)
    if image.width * image.height > MAX_PIXELS:
        image.close()
        raise ValueError(
            f"it has {image.width * image.height:,} pixels, at most {MAX_PIXELS:,} may be"
        )
    if (
        isinstance(file, Path)
        and image.format == "TIFF"
        and image.getexif().get(ORIENTATION, 1) > 1
    ):
        image.close()
        # Pillow maps the file of a path into memory, and then rotates it twice.
        image = Image.open(BytesIO(file.read_bytes()))
    if page:
        image.seek(page)
    return image


def _start(file: Path | bytes) -> bytes:
    if isinstance(file, bytes):
        return file[:4]
    with file.open("rb") as opened:
        return opened.read(4)


def _broken(file: Path | bytes, name: str | None, error: Exception) -> DataError:
    label = name or ("the image" if isinstance(file, bytes) else file)
    if isinstance(error, UnsuitedError):
        return DataError(f"{label} cannot be used as an image: {error}.")
    if isinstance(file, Path) and file.is_symlink() and not file.exists():
        return DataError(
            f"{label} cannot be read as an image: it is a link that leads nowhere, to "
            f"{file.readlink()}. Fetch its content (git annex get, dvc pull), or remove it."
        )
    if isinstance(error, UnidentifiedImageError) and _start(file) in TIFF_STARTS:
        return DataError(
            f"{label} cannot be used as an image: it is a TIFF file of a kind that is not read, "
            f"such as of many channels or of 64-bit numbers. {SAVE_ARRAYS}."
        )
    unknown = isinstance(file, bytes) and "cannot identify" in str(error)
    # Pillow names content by its address in memory.
    reason = "it is no image, or of an unknown format" if unknown else error
    return DataError(f"{label} cannot be read as an image: {reason}. Repair or remove it.")
