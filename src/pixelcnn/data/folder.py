"""Folders of image files."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from pixelcnn.data.sets import ImageSet, Source, TensorImageSet
from pixelcnn.data.streaming import FileImageSet, Files
from pixelcnn.data.transforms import resize
from pixelcnn.errors import ConfigError, DataError
from pixelcnn.spec import ImageSpec, requantise

LEVELS = 256
SUFFIXES = {
    *(".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".tif", ".tiff"),
}
STREAM_ABOVE_BYTES = 2 * 2**30
GREY_MODES = {"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L"}
WIDE_MODES = {"I", "I;16", "I;16B", "I;16L"}
SIDEWAYS = {5, 6, 7, 8}  # EXIF orientations that swap height and width


def read_folder(
    root: Path,
    *,
    image_size: tuple[int, int] | None = None,
    channels: int | None = None,
    stream_above_bytes: int = STREAM_ABOVE_BYTES,
) -> Source:
    """Reads a folder of images, 8 bits per channel.

    Images are turned as their EXIF orientation says, laid on white where they are
    transparent, and rounded to 8 bits where they have more. Hidden files and files with other
    endings than those of images are left out.

    Args:
        root: Images in it; or one sub-folder per class, each with images at any depth; or
            sub-folders `train` and optionally `val` and `test` that look like one of these.
        image_size: Height and width wanted; without it all images must have one size.
        channels: 1 for grey, 3 for RGB; without it 1 if every file is grey, otherwise 3.
        stream_above_bytes: Above this size decoded, images stay in their files and are decoded
            batch by batch.

    Raises:
        ConfigError: If `channels` is neither 1 nor 3.
        DataError: If there is no image, a file is broken, or the sizes differ.
    """
    if channels not in (None, 1, 3):
        raise ConfigError(f"`channels` of a folder of images must be 1 or 3, got {channels}.")
    listed = {split: list_images(folder) for split, folder in _split_folders(root).items()}
    names = _class_names(listed)
    paths = [path for items in listed.values() for path, _ in items]
    spec = _find_spec(paths, image_size=image_size, channels=channels)
    streams = len(paths) * spec.num_dims > stream_above_bytes
    build = _stream if streams else _decode_all
    sets: dict[str, ImageSet] = {}
    for split, items in listed.items():
        numbers = None if names is None else torch.tensor([names.index(str(c)) for _, c in items])
        sets[split] = build([path for path, _ in items], numbers, spec)
    name = f"folder:{root.resolve().name}"
    return Source(
        name,
        sets["train"],
        sets.get("val"),
        sets.get("test"),
        label_names=names,
        resized=image_size is not None,
    )


def list_images(folder: Path) -> list[tuple[Path, str | None]]:
    """Lists the images of a folder in the order of their names.

    Returns:
        Pairs of path and class; the class is None if the images lie in the folder itself.

    Raises:
        DataError: If there is no image, a class is empty, or some images have no class.
    """
    entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    loose: list[tuple[Path, str | None]] = [
        (path, None) for path in entries if path.is_file() and path.suffix.lower() in SUFFIXES
    ]
    sorted_in: list[tuple[Path, str | None]] = []
    for child in (path for path in entries if path.is_dir()):
        inside = [(path, child.name) for path in _walk(child)]
        if not inside:
            raise DataError(f"The class folder {child} holds no images. Fill or remove it.")
        sorted_in += inside
    if loose and sorted_in:
        raise DataError(
            f"{folder} holds images in itself ({loose[0][0].name}) and in sub-folders "
            f"({sorted_in[0][1]}). Put all into sub-folders, one per class, or none."
        )
    if not loose and not sorted_in:
        raise DataError(
            f"{folder} holds no images. Files must end in one of {', '.join(sorted(SUFFIXES))}."
        )
    return loose or sorted_in


def decode(path: Path, *, channels: int, size: tuple[int, int]) -> Tensor:
    """Reads one image file.

    Args:
        path: The file.
        channels: 1 for grey, 3 for RGB.
        size: Height and width; the image is resized if it has others.

    Returns:
        Levels in [0, 256). Shape: (C, H, W), uint8.

    Raises:
        DataError: If the file is broken; the message names it.
    """
    x = read_pixels(path, channels=channels)
    return resize(x[None], levels=LEVELS, size=size)[0].to(torch.uint8)


def read_pixels(path: Path, *, channels: int) -> Tensor:
    """Reads one image file as `decode` does, in the size that it has. (C, h, w), uint8."""
    try:
        with Image.open(path) as image:
            pixels = to_bytes(ImageOps.exif_transpose(image), channels)
    except Exception as error:  # decoders raise whatever they trip over in a damaged file
        raise _broken(path, error) from error
    return torch.from_numpy(pixels.reshape(*pixels.shape[:2], channels)).permute(2, 0, 1)


def to_bytes(image: Image.Image, channels: int) -> np.ndarray:
    """Pixels of 8 bits. Shape: (H, W) or (H, W, 3), uint8."""
    if image.mode in WIDE_MODES:
        # Pillow would cut these off at 255 instead of scaling them.
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


def _broken(path: Path, error: Exception) -> DataError:
    return DataError(f"{path} cannot be read as an image: {error}. Repair or remove the file.")


def _split_folders(root: Path) -> dict[str, Path]:
    if not root.is_dir():
        raise DataError(f"There is no folder {root}. Give a folder that holds images.")
    found = {name: root / name for name in ("train", "val", "test") if (root / name).is_dir()}
    if found and "train" not in found:
        raise DataError(f"{root} holds a folder `{min(found)}` but no folder `train`. Add it.")
    return found or {"train": root}


def _walk(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def _class_names(
    listed: dict[str, list[tuple[Path, str | None]]],
) -> tuple[str, ...] | None:
    names = {name for _, name in listed["train"]}
    for items in listed.values():
        for path, name in items:
            if name not in names:
                raise DataError(
                    f"{path} must lie in one of the classes of the training images "
                    f"({', '.join(sorted(map(str, names)))}), got {name}."
                )
    return None if names == {None} else tuple(sorted(map(str, names)))


def _find_spec(
    paths: Sequence[Path], *, image_size: tuple[int, int] | None, channels: int | None
) -> ImageSpec:
    """Reads the headers: one size for all unless they will be resized, and grey or RGB."""
    first, is_grey = None, True
    for path in paths:
        size, grey = _read_header(path)
        is_grey &= grey
        first = first or (path, size)
        if image_size is None and size != first[1]:
            raise DataError(
                f"All images must have one size without `image_size`: {first[0]} has "
                f"{first[1][0]}×{first[1][1]}, {path} has {size[0]}×{size[1]} (height × width). "
                f"Set `image_size`."
            )
    assert first is not None
    return ImageSpec(channels or (1 if is_grey else 3), *(image_size or first[1]), LEVELS)


def _read_header(path: Path) -> tuple[tuple[int, int], bool]:
    """Height and width as decoded, and whether the image is grey."""
    try:
        with Image.open(path) as image:
            # Only JPEG has its orientation in front: others would be decoded to find it.
            turned = image.format in ("JPEG", "MPO") and image.getexif().get(0x0112) in SIDEWAYS
            size = (image.width, image.height) if turned else (image.height, image.width)
            return size, image.mode in GREY_MODES
    except Exception as error:  # as in `read_pixels`
        raise _broken(path, error) from error


def _stream(paths: Sequence[Path], labels: Tensor | None, spec: ImageSpec) -> ImageSet:
    decoder = partial(decode, channels=spec.channels, size=(spec.height, spec.width))
    return FileImageSet(Files(tuple(paths), decoder), labels, spec=spec)


def _decode_all(paths: Sequence[Path], labels: Tensor | None, spec: ImageSpec) -> ImageSet:
    decoder = partial(decode, channels=spec.channels, size=(spec.height, spec.width))
    images = torch.empty(len(paths), *spec.shape, dtype=torch.uint8)
    with ThreadPoolExecutor() as pool:
        for number, image in enumerate(pool.map(decoder, paths)):
            images[number] = image
    return TensorImageSet(images, labels, levels=spec.levels)
