"""From the name of a data set to splits ready for training."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from pixelcnn.data.image_sets import DataSplits, Source
from pixelcnn.data.prepare import Binarization, prepare
from pixelcnn.data.sources.arrays import read_npy, read_npz
from pixelcnn.data.sources.binarized_mnist import read_binarized_mnist
from pixelcnn.data.sources.celeba import read_celeba
from pixelcnn.data.sources.cifar10 import read_cifar10
from pixelcnn.data.sources.digits import read_digits
from pixelcnn.data.sources.folder import read_folder
from pixelcnn.data.sources.hugging_face import read_hugging_face
from pixelcnn.data.sources.mnist import read_fashion_mnist, read_mnist
from pixelcnn.data.streaming import STREAM_ABOVE_BYTES
from pixelcnn.errors import ConfigError, DataError

# Every set by name. Those of FILE_SETS are files of the user, and need their path.
DATASETS: dict[str, Callable[..., Source]] = {
    "digits": read_digits,
    "mnist": read_mnist,
    "fashion_mnist": read_fashion_mnist,
    "binarized_mnist": read_binarized_mnist,
    "cifar10": read_cifar10,
    "celeba": read_celeba,
    "npz": read_npz,
    "npy": read_npy,
    "folder": read_folder,
    "hf": read_hugging_face,
}
FILE_SETS = ("npz", "npy", "folder", "hf")
# Of these, those of image files, which can be read in grey or in colour and may be broken.
IMAGE_FILES = ("folder", "hf")


def load_data(
    dataset_name: str,
    *,
    data_root: str | Path | None = None,
    levels: int | None = None,
    binarization: Binarization = "none",
    image_size: int | Sequence[int] | None = None,
    val_fraction: float = 0.1,
    max_samples: int | None = None,
    seed: int = 0,
    channels: int | None = None,
    stream_above_bytes: int = STREAM_ABOVE_BYTES,
    skip_broken_files: bool = False,
    subset: str | None = None,
    image_column: str | None = None,
    label_column: str | None = None,
) -> DataSplits:
    """Reads a data set and makes training, validation and test splits of it.

    Images are resized first, then rounded to `levels` or binarized. Which images are held out
    depends on `val_fraction` alone, never on `seed`.

    Args:
        dataset_name: A name in `DATASETS`; for your own files also `npz:FILE`, `npy:FILE`,
            `folder:DIR` or `hf:PATH`, whose paths are taken as they stand; `hf:NAME` for a set of
            the Hugging Face hub, see `pixelcnn.data.sources.hugging_face`.
        data_root: Folder of the named sets; without it the one that the environment variable
            PIXELCNN_DATA names, or else `data` in the current folder. Sets that are missing
            are fetched into it. For plain `npz`, `npy`, `folder` and `hf`: the file or folder.
        levels: Number of levels K wanted, at most those stored; all of them by default.
        binarization: "threshold" maps levels above the middle (127.5 of 255) to 1; "dynamic"
            draws 1 with probability x / (K-1): anew in every epoch for training images, once
            and for all for validation and test images.
        image_size: Side, or height and width, in pixels: scaled to cover it, cropped centrally.
        val_fraction: Share of the training images held out for validation, in (0, 1); not used
            by sets that bring validation images. Test images never serve for it: a set
            without any first gives up a tenth of its images for them.
        max_samples: Keeps at most so many images of each split, chosen at random.
        seed: Chooses the training images that `max_samples` keeps, and nothing else.
        channels: For folders and `hf`: 1 for grey, 3 for RGB. For others what they have.
        stream_above_bytes: Folders and `hf` sets larger than this, decoded, stay on the disk.
        skip_broken_files: For folders and `hf`: leaves images out that cannot be decoded. The
            protocol says how many, and a `DataWarning` names them.
        subset: For `hf`: which one, of a set that has several.
        image_column: For `hf`: the column of images. None: the one that is of that type.
        label_column: For `hf`: the column of labels. None: the one that is of that type.

    Returns:
        The splits, with the protocol that a reported figure must carry.

    Raises:
        ConfigError: If an option, or a combination of them, does not fit.
        DataError: If the set is missing, damaged or too small.

    Example:
        >>> data = load_data("digits")
        >>> data.spec
        ImageSpec(channels=1, height=8, width=8, levels=17)
        >>> data.protocol
        'digits, 17 levels, 1,298/144/355 (validation from training)'
    """
    _check_options(levels, binarization, val_fraction, max_samples)
    size = _size(image_size)
    name, path = _locate(dataset_name, data_root)
    for_images = {
        "image_size": size,
        "channels": channels,
        "stream_above_bytes": stream_above_bytes,
        "skip_broken_files": skip_broken_files,
    }
    for_tables = {"subset": subset, "image_column": image_column, "label_column": label_column}
    _check_reader(name, {"skip_broken_files": skip_broken_files}, IMAGE_FILES)
    _check_reader(name, for_tables, ("hf",))
    options = {
        **(for_images if name in IMAGE_FILES else {}),
        **(for_tables if name == "hf" else {}),
    }
    source = _read(name, path, options)
    _check_fit(source, levels, binarization, channels)
    return prepare(
        source,
        size=size,
        levels=levels,
        binarization=binarization,
        val_fraction=val_fraction,
        max_samples=max_samples,
        seed=seed,
    )


def _read(name: str, path: Path, options: Mapping[str, Any]) -> Source:
    try:
        return DATASETS[name](path, **options)
    except OSError as error:  # a folder that may not be read, a disk that fails
        raise DataError(f"{error.filename or path} cannot be read: {error.strerror}.") from error


def _check_reader(name: str, options: Mapping[str, Any], readers: Sequence[str]) -> None:
    """Raises `ConfigError` if an option is set that the reader does not have."""
    for option, value in options.items():
        if value and name not in readers:
            raise ConfigError(
                f"`{option}` is for {' and '.join(readers)} alone, got {value!r} for {name}. Leave "
                f"it out."
            )


def _check_options(
    levels: int | None, binarization: str, val_fraction: float, max_samples: int | None
) -> None:
    if binarization not in get_args(Binarization):
        raise ConfigError(
            f"`binarization` must be one of {', '.join(get_args(Binarization))}, got "
            f"{binarization!r}."
        )
    if binarization != "none" and levels not in (None, 2):
        raise ConfigError(
            f"`levels` must be 2 or left out with `binarization` {binarization!r}, got {levels}."
        )
    if not 0 < val_fraction < 1:
        raise ConfigError(f"`val_fraction` must lie between 0 and 1, got {val_fraction}.")
    if max_samples is not None and max_samples < 1:
        raise ConfigError(f"`max_samples` must be at least 1, got {max_samples}.")


def _size(image_size: int | Sequence[int] | None) -> tuple[int, int] | None:
    if image_size is None:
        return None
    sides = (image_size, image_size) if isinstance(image_size, int) else tuple(image_size)
    if len(sides) != 2 or not all(isinstance(side, int) and side >= 1 for side in sides):
        raise ConfigError(
            f"`image_size` must be a number of pixels or a pair (height, width), got {image_size}."
        )
    return sides[0], sides[1]


def _locate(dataset_name: str, data_root: str | Path | None) -> tuple[str, Path]:
    """The name in DATASETS, and where the set lies."""
    name, _, path = dataset_name.partition(":")
    if name not in DATASETS or (path and name not in FILE_SETS):
        raise ConfigError(
            f"`dataset_name` must be one of {', '.join(DATASETS)}, or npz:FILE, npy:FILE, "
            f"folder:DIR or hf:NAME_OR_PATH, got {dataset_name!r}."
        )
    if path:
        return name, Path(path).expanduser()
    if data_root is None and name in FILE_SETS:
        raise ConfigError(
            f"`dataset_name` {name!r} needs a path: write {name}:PATH, or set `data_root`."
        )
    return name, Path(data_root or os.environ.get("PIXELCNN_DATA") or "data").expanduser()


def _check_fit(source: Source, levels: int | None, binarization: str, channels: int | None) -> None:
    spec = source.train.spec
    if levels is not None and not 2 <= levels <= spec.levels:
        raise ConfigError(
            f"`levels` must be from 2 to {spec.levels}, the levels of {source.name}, got {levels}."
        )
    if binarization != "none" and spec.levels == 2:
        raise ConfigError(
            f"{source.name} is binary already: set `binarization` to 'none', got {binarization!r}."
        )
    if channels not in (None, spec.channels):
        raise ConfigError(
            f"`channels` must be {spec.channels}, those of {source.name}, got {channels}."
        )
