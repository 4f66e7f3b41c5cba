"""Images and maps of unknown origin: checked before they are decoded."""

import warnings
import zipfile
from io import BytesIO
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageFile
from torch import Tensor

from pixelcnn.data.files.depth import check_in_use
from pixelcnn.data.files.image_header import num_pages
from pixelcnn.data.files.pixels import Pixels, pixels_of
from pixelcnn.data.sources.arrays.array_conditions import as_maps
from pixelcnn.data.transforms import resize
from pixelcnn.errors import DataError
from pixelcnn.spec import ImageSpec, requantise

MAX_BYTES = 10 * 2**20
MAX_PIXELS = 25_000_000
MAX_UNPACKED = 64 * 2**20
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")


def read_upload(content: bytes, name: str, spec: ImageSpec) -> Tensor:
    """Reads an image of unknown origin, in the shape and levels of a model.

    It is rotated by its EXIF orientation, blended with white where it is transparent, scaled until
    it covers the size, cropped centrally, and rounded to K levels. Files of more than 8 bits must
    use all of them. Only decoders of common formats are tried.

    Args:
        content: The file.
        name: Its name in messages.
        spec: Shape and levels wanted.

    Returns:
        Levels. (1, C, H, W), int64.

    Raises:
        DataError: If it is no image, is too large or animated, or the model's images have neither 1
            nor 3 channels.

    Example:
        >>> file = BytesIO()
        >>> Image.new("RGBA", (9, 9), (0, 0, 0, 255)).save(file, "PNG")
        >>> read_upload(file.getvalue(), "black.png", ImageSpec(1, 2, 2, 17))
        tensor([[[[0, 0],
                  [0, 0]]]])
    """
    if spec.channels not in (1, 3):
        raise DataError(
            f"Image files have 1 or 3 channels, and the model has {spec.channels}: pick an image "
            f"of its test set."
        )
    _check_bytes(content, name)
    pixels = _decode(content, name, spec.channels)
    if pixels.levels > 256:
        check_in_use(int(pixels.x.max()), pixels.levels, f"`{name}`")
    x = torch.from_numpy(pixels.x).permute(2, 0, 1)[None]
    resized = resize(x, levels=pixels.levels, size=(spec.height, spec.width))
    return requantise(resized, pixels.levels, to=spec.levels)


def read_map_upload(content: bytes, name: str, channels: int) -> Tensor:
    """Reads maps of unknown origin from an .npy file, or from `maps` of an .npz file.

    Args:
        content: The file. Its array has shape (N, A, H, W), or (A, H, W) for one map.
        name: Its name in messages.
        channels: A.

    Returns:
        Shape: (N, A, H, W), float32.

    Raises:
        DataError: If it is too large, not a NumPy file, has to be unpickled, or holds no such
            maps.

    Example:
        >>> file = BytesIO()
        >>> np.save(file, np.ones((2, 4, 4)))
        >>> read_map_upload(file.getvalue(), "ones.npy", 2).shape
        torch.Size([1, 2, 4, 4])
    """
    _check_bytes(content, name)
    try:
        found = np.asarray(_maps_of(content))
    except Exception as error:  # zipfile, zlib and NumPy raise errors of many types
        raise DataError(
            f"`{name}` cannot be read as maps: {error}. Give an .npy file of plain numbers, or an "
            f".npz file with `maps`."
        ) from error
    return as_maps(found, channels, f"`{name}`")


def _maps_of(content: bytes) -> Any:
    """The array of the file; decompresses at most `MAX_UNPACKED` bytes."""
    if not zipfile.is_zipfile(BytesIO(content)):
        return np.load(BytesIO(content), allow_pickle=False)
    with zipfile.ZipFile(BytesIO(content)) as archive:
        size = archive.getinfo("maps.npy").file_size
        if size > MAX_UNPACKED:
            raise DataError(f"its maps have {size:,} bytes, at most {MAX_UNPACKED:,} may be")
        return np.load(BytesIO(archive.read("maps.npy")), allow_pickle=False)


def _check_bytes(content: bytes, name: str) -> None:
    if len(content) > MAX_BYTES:
        raise DataError(
            f"`{name}` must have at most {MAX_BYTES / 2**20:.0f} MB, got "
            f"{len(content) / 2**20:.1f} MB."
        )


def _decode(content: bytes, name: str, channels: int) -> Pixels:

    def open_image() -> ImageFile.ImageFile:
        return Image.open(BytesIO(content), formats=FORMATS)

    try:
        with warnings.catch_warnings():
            # Its own limit is higher than ours, and only warns.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with open_image() as image:
                _check_header(image, name)
            return pixels_of(open_image, channels, indices=False)
    except DataError:
        raise
    except Image.DecompressionBombError as error:  # raised before there is a header to check
        raise DataError(_too_many_pixels(name, "far more")) from error
    except Exception as error:  # decoders raise errors of many types
        reason = (
            "it is no image, or of an unknown format" if "cannot identify" in str(error) else error
        )
        raise DataError(
            f"`{name}` cannot be read as an image: {reason}. "
            f"Give a {', '.join(FORMATS[:-1])} or {FORMATS[-1]} file."
        ) from error


def _check_header(image: Image.Image, name: str) -> None:
    """Refuses images that are large once decoded, and animations."""
    if image.width * image.height > MAX_PIXELS:
        raise DataError(_too_many_pixels(name, f"{image.width:,}×{image.height:,}"))
    if num_pages(image) > 1:
        raise DataError(
            f"`{name}` must be a single image, got {num_pages(image)} frames. Save one frame."
        )


def _too_many_pixels(name: str, got: str) -> str:
    most = MAX_PIXELS / 1e6
    return f"`{name}` must have at most {most:.0f} million pixels, got {got}. Scale it down first."
