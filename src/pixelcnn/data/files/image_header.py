"""What the header of an image file says of its pixels."""

from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image, ImageFile, PngImagePlugin, TiffImagePlugin

GREY_MODES = {"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L"}
WIDE_MODES = {"I", "I;16", "I;16B", "I;16L"}
SIDEWAYS = {5, 6, 7, 8}  # EXIF orientations that swap height and width
SAVE_ARRAYS = "Save its channels as .npy or .npz"
TEXT_CHUNKS = {b"eXIf", b"iTXt", b"tEXt", b"zTXt"}  # of PNG, which may hold an orientation


class UnsuitedError(ValueError):
    """An undamaged image file that holds no levels, or levels that are not read exactly."""


class Header(NamedTuple):
    """The header of an image.

    Attributes:
        height: After rotation, in pixels.
        width: After rotation, in pixels.
        grey: Whether it has no colours.
        is_wide: Whether a channel has more than 8 bits.
        pages: Images in the file.
    """

    height: int
    width: int
    grey: bool
    is_wide: bool
    pages: int


def image_header_of(image: ImageFile.ImageFile) -> Header:
    """The header of an image that has been opened and not decoded.

    Raises:
        UnsuitedError: If Pillow would read other pixels than the file holds.
    """
    check_readable(image)
    # Pillow has swapped the sides of a TIFF already.
    turned = image.format != "TIFF" and _orientation(image) in SIDEWAYS
    size = (image.width, image.height) if turned else (image.height, image.width)
    return Header(*size, _is_grey(image), is_wide(image), num_pages(image))


def num_pages(image: Image.Image) -> int:
    """Images in a file. Those that an MPO adds to its photograph are previews of it."""
    return 1 if image.format == "MPO" else int(getattr(image, "n_frames", 1))


def is_wide(image: ImageFile.ImageFile) -> bool:
    """Whether a channel has more than 8 bits."""
    return image.mode in WIDE_MODES or ";16" in raw_mode(image) or pnm_maximum(image) > 255


def raw_mode(image: ImageFile.ImageFile) -> str:
    """Pillow's name for the samples of the file, such as "RGB;16B"; "" if it has none."""
    args = image.tile[0].args if image.tile else ""
    first = args[0] if isinstance(args, tuple) and args else args
    return first if isinstance(first, str) else ""


def pnm_maximum(image: ImageFile.ImageFile) -> int:
    """The largest level that a binary PGM or PPM file states; 0 for other files."""
    args = image.tile[0].args if image.format == "PPM" and image.tile else ()
    is_binary = image.format == "PPM" and image.tile[0].codec_name == "ppm" if args else False
    return int(args[1]) if is_binary and isinstance(args, tuple) and len(args) > 1 else 0


def check_readable(image: ImageFile.ImageFile) -> None:
    """Raises `UnsuitedError` if Pillow would read other pixels than the file holds."""
    if image.mode == "F":
        raise UnsuitedError("it holds floats. Save levels as .npy or .npz")
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return
    tags = image.tag_v2
    samples = int(tags.get(TiffImagePlugin.SAMPLESPERPIXEL, 1))
    formats = tags.get(TiffImagePlugin.SAMPLEFORMAT, (1,))
    bits = max(tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,)))
    if any(part in raw_mode(image) for part in ("LX", "RGBX")):
        raise UnsuitedError(
            f"it has {samples} channels, the last of which is no transparency. {SAVE_ARRAYS}"
        )
    if 2 in formats and bits <= 8:
        raise UnsuitedError(f"it holds signed 8-bit integers. {SAVE_ARRAYS}")
    if 8 < bits <= 16 and not is_wide(image):
        raise UnsuitedError(
            f"its {samples} channels of {bits} bits lie in separate planes. {SAVE_ARRAYS}"
        )


def _is_grey(image: ImageFile.ImageFile) -> bool:
    if image.mode == "P":
        colours = np.asarray(image.getpalette() or [0, 1, 2]).reshape(-1, 3)
        return bool((colours == colours[:, :1]).all())
    if image.format == "WEBP":  # it has no grey mode
        pixels = np.asarray(image.convert("RGB"))
        return bool((pixels == pixels[..., :1]).all())
    return image.mode in GREY_MODES or raw_mode(image).startswith("LA")


def _orientation(image: ImageFile.ImageFile) -> int:
    if isinstance(image, PngImagePlugin.PngImageFile) and _has_late_text(image):
        image.load()
    # Not PNG's own `getexif`, which decodes every file to find what hardly any has.
    exif = Image.Image.getexif(image)
    return int(exif.get(ExifTags.Base.Orientation, 1))


def _has_late_text(image: PngImagePlugin.PngImageFile) -> bool:
    """Whether texts follow the pixels."""
    file = image.fp
    assert file is not None
    before = file.tell()
    file.seek(8)
    names = []
    while len(head := file.read(8)) == 8:
        names.append(head[4:])
        file.seek(int.from_bytes(head[:4], "big") + 4, 1)
    file.seek(before)
    return bool(TEXT_CHUNKS & set(names[names.index(b"IDAT") :] if b"IDAT" in names else ()))
