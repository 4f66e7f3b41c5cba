"""The pixels of an image file, at the depth of the file."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps, TiffImagePlugin

from pixelcnn.data.files.image_header import (
    WIDE_MODES,
    UnsuitedError,
    check_readable,
    pnm_maximum,
    raw_mode,
)
from pixelcnn.spec import MAX_LEVELS

OTHER_END = {"B": "L", "L": "B", "N": "B"}  # of raw modes; "N" is this machine's, little-endian
BAND = 2**20  # pixels
Levels = NDArray[np.integer[Any]]


class Pixels(NamedTuple):
    """The pixels of one image.

    Attributes:
        x: Levels as the file holds them. Shape: (H, W, C), uint8 for 8 bits, else int32.
        levels: Levels of the file's type, or as many as it states.
    """

    x: Levels
    levels: int


def pixels_of(
    open_image: Callable[[], ImageFile.ImageFile], channels: int, *, indices: bool
) -> Pixels:
    """Decodes an image.

    It is rotated by its EXIF orientation and blended with white where it is transparent.

    Args:
        open_image: Opens it, at its page. Files with 16 bits in several channels are opened twice,
            as Pillow decodes one byte of each sample at a time.
        channels: 1 for grey, 3 for RGB.
        indices: Whether a palette's indices are the levels, not its colours.

    Raises:
        UnsuitedError: If it holds something else than levels.
    """
    with open_image() as image:
        return _pixels(image, open_image, channels, indices)


def _pixels(
    image: ImageFile.ImageFile,
    open_image: Callable[[], ImageFile.ImageFile],
    channels: int,
    indices: bool,
) -> Pixels:
    check_readable(image)
    if maximum := _deep_pnm(image):
        return Pixels(_to_channels(_pnm_samples(image), channels, maximum), maximum + 1)
    if image.mode in WIDE_MODES:
        wide = np.asarray(ImageOps.exif_transpose(image))[..., None]
        if wide.min() < 0:
            raise UnsuitedError(
                f"it holds negative values, from {wide.min()}. Subtract the least one (of CT "
                f"numbers in HU: add 1024), and save it as .npy or .npz"
            )
        if wide.max() >= MAX_LEVELS:
            raise UnsuitedError(
                f"it holds values up to {wide.max()}, more than 16 bits. Save fewer levels"
            )
        if _is_inverted(image):
            wide = MAX_LEVELS - 1 - wide.astype(np.int32)
        return Pixels(_to_channels(wide, channels, MAX_LEVELS - 1), MAX_LEVELS)
    if ";16" in raw_mode(image):
        with open_image() as again:
            x = _two_bytes(image, again)
        return Pixels(_to_channels(x, channels, MAX_LEVELS - 1), MAX_LEVELS)
    if image.mode == "P" and indices:
        return Pixels(np.array(image)[..., None], 256)
    if indices and image.mode not in ("1", "L"):
        raise UnsuitedError(f"it holds pixels of mode {image.mode}, not one number each")
    return Pixels(_bytes(ImageOps.exif_transpose(image), channels), 256)


def _bytes(image: Image.Image, channels: int) -> Levels:
    is_transparent = image.has_transparency_data
    x = np.empty((image.height, image.width, channels), np.uint8)
    for rows in _bands(x):
        # Copies of all of a large image would take many times its memory.
        band = image.crop((0, rows.start, image.width, rows.stop))
        if is_transparent:
            over = band.convert("RGBA")
            band = Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
        band = band.convert("L" if channels == 1 else "RGB")
        x[rows] = np.asarray(band).reshape(-1, image.width, channels)
    return x


def _bands(x: Levels) -> Iterator[slice]:
    """Rows of about a million pixels, (H, W, C), after one another."""
    count = max(1, BAND // x.shape[1])
    for start in range(0, len(x), count):
        yield slice(start, min(start + count, len(x)))


def _two_bytes(image: ImageFile.ImageFile, again: ImageFile.ImageFile) -> Levels:
    """Samples of 16 bits, which Pillow would cut off to their high byte. (H, W, 2 to 4)."""
    (tile,) = image.tile
    args = tile.args if isinstance(tile.args, tuple) else (tile.args,)
    raw = raw_mode(image)
    if raw.startswith("LA"):
        image.tile = [tile._replace(args=("RGBA", *args[1:]))]
        found = np.asarray(ImageOps.exif_transpose(image)).astype(np.int32)
        return found[..., ::2] * 256 + found[..., 1::2]
    again.tile = [tile._replace(args=(raw[:-1] + OTHER_END[raw[-1]], *args[1:]))]
    high, low = (np.asarray(ImageOps.exif_transpose(each)) for each in (image, again))
    return high.astype(np.int32) * 256 + low


def _deep_pnm(image: ImageFile.ImageFile) -> int:
    """The largest level of a PGM or PPM file of 16 bits, which Pillow would stretch; else 0."""
    maximum = pnm_maximum(image)
    return maximum if maximum > 255 else 0


def _pnm_samples(image: ImageFile.ImageFile) -> Levels:
    count = image.width * image.height * (1 if image.mode == "I" else 3)
    assert image.fp is not None
    image.fp.seek(image.tile[0].offset)
    found = np.frombuffer(image.fp.read(2 * count), dtype=">u2")
    if len(found) < count:
        raise ValueError(f"it ends after {len(found):,} of {count:,} samples")
    return found.reshape(image.height, image.width, -1)


def _to_channels(x: Levels, channels: int, top: int) -> Levels:
    """Grey, grey and alpha, RGB or RGBA samples as grey or RGB, over white. (H, W, C)."""
    found = np.empty((*x.shape[:2], channels), np.int32)
    for rows in _bands(x):
        found[rows] = _mixed(x[rows].astype(np.int64), channels, top)
    return found


def _mixed(x: Levels, channels: int, top: int) -> Levels:
    if x.shape[2] in (2, 4):
        alpha = x[..., -1:]
        # Rounded to the nearest level.
        x = (2 * (x[..., :-1] * alpha + top * (top - alpha)) + top) // (2 * top)
    if x.shape[2] == 3 and channels == 1:
        luma = x @ np.array([19_595, 38_470, 7_471])  # ITU-R 601, as Pillow's for 8 bits
        x = ((luma + 32_768) >> 16)[..., None]
    return x


def _is_inverted(image: Image.Image) -> bool:
    """Whether 0 is white, which Pillow minds for 8 bits only."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return False
    return bool(image.tag_v2.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 0)
