"""From the name of a data set to splits ready for training."""

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from pixelcnn.arguments import check_choice, named_arguments, whole_number
from pixelcnn.data.image_sets import DataSplits, Source
from pixelcnn.data.prepare import Binarization, prepare_splits
from pixelcnn.data.sources.arrays.arrays import read_npy, read_npz
from pixelcnn.data.sources.arrays.memory import MEMORY, read_memory
from pixelcnn.data.sources.binarized_mnist import read_binarized_mnist
from pixelcnn.data.sources.celeba import read_celeba
from pixelcnn.data.sources.cifar10 import read_cifar10
from pixelcnn.data.sources.digits import read_digits
from pixelcnn.data.sources.folders.folder import read_folder
from pixelcnn.data.sources.hub.hugging_face import read_hugging_face
from pixelcnn.data.sources.mnist import read_fashion_mnist, read_mnist
from pixelcnn.errors import ConfigError, DataError, suggestion
from pixelcnn.hints import read_size
from pixelcnn.registry import Registry

Reader = Callable[..., Source]

DATASETS: Registry[Reader] = Registry("dataset_name")

register = DATASETS.register
"""Decorator: `@register("name")` makes the reader of a data set known as `dataset_name`.

The reader's first parameter is `root`, the folder of all data sets (`data_root`), or `path`, a file
or folder that the user names as `NAME:PATH`. Its keyword-only parameters are the options of the
data set: `load_data` passes on those that it is given. It passes `image_size` and `channels` where
the reader takes them, and otherwise resizes and checks the images itself.
"""

register("digits")(read_digits)
register("mnist")(read_mnist)
register("fashion_mnist")(read_fashion_mnist)
register("binarized_mnist")(read_binarized_mnist)
register("cifar10")(read_cifar10)
register("celeba")(read_celeba)
register("npz")(read_npz)
register("npy")(read_npy)
register("folder")(read_folder)
register("hf")(read_hugging_face)


def takes_path(name: str) -> bool:
    """Whether a data set is a file or folder of the user, named as `NAME:PATH`."""
    return next(iter(_parameters(name)), None) == "path"


def reader_options(dataset_name: str) -> set[str]:
    """The options that the reader of a data set takes; none if there is no such data set.

    Example:
        >>> sorted(reader_options("folder:photos"))
        ['bits', 'categorical', 'channels', 'image_size', 'label_depth', 'labels', 'pages', \
'skip_broken_files', 'stream_above_bytes']
    """
    parameters = _parameters(dataset_name.partition(":")[0])
    return {name for name, each in parameters.items() if each.kind is each.KEYWORD_ONLY}


def _parameters(name: str) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(DATASETS[name]).parameters if name in DATASETS else {}


@named_arguments
def load_data(
    dataset_name: str | Mapping[str, Any],
    *,
    data_root: str | Path | None = None,
    levels: int | None = None,
    binarization: Binarization = "none",
    image_size: int | str | Sequence[int] | None = None,
    val_fraction: float = 0.1,
    max_samples: int | None = None,
    seed: int = 0,
    channels: int | None = None,
    **options: Any,
) -> DataSplits:
    """Reads a data set and makes training, validation and test splits of it.

    Images are resized first, then rounded to `levels` or binarized. Which images are held out
    depends on `val_fraction` alone, never on `seed`.

    Args:
        dataset_name: A name in `DATASETS`, such as "mnist"; for your own files `npz:FILE`,
            `npy:FILE`, `folder:DIR` or `hf:PATH`; `hf:NAME` for a set of the Hugging Face hub.
            Or arrays by name, such as `{"x": images, "y": labels}`: the keys of `npz`.
        data_root: Folder of the named sets; without it the one that the environment variable
            PIXELCNN_DATA names, or else `data` in the current folder. Missing sets are downloaded
            into it. For plain `npz`, `npy`, `folder` and `hf`: the file or folder.
        levels: Number of levels K, at most those stored; None for all of them.
        binarization: "threshold" maps levels above the middle (127.5 of 255) to 1; "dynamic"
            samples 1 with probability x / (K-1): anew in every epoch for training images, once
            for validation and test images.
        image_size: Side, or height and width, in pixels: images are scaled to cover it and cropped
            centrally.
        val_fraction: Share of the training images held out for validation, in (0, 1); not used
            by sets with validation images of their own. Test images never serve for it: a tenth of
            the images of a set without test images is held out for them first.
        max_samples: Keeps at most so many images of each split, chosen at random.
        seed: Chooses the training images that `max_samples` keeps, and nothing else.
        channels: For image files (`folder`, `hf`): 1 for grey, 3 for RGB. Other sets must have so
            many channels.
        **options: Options of the data set's reader, see `pixelcnn.data.sources`; for example
            `skip_broken_files` of `read_folder`, or `subset` of `read_hugging_face`.

    Returns:
        The splits, with the protocol to report metrics with.

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
    check_options(levels, binarization, val_fraction, max_samples)
    size = None if image_size is None else read_size(image_size)
    given = {"image_size": size, "channels": channels, **options}
    source = _source(dataset_name, data_root, options, given)
    _check_fit(source, levels, binarization, channels)
    return prepare_splits(
        source,
        size=size,
        levels=levels,
        binarization=binarization,
        val_fraction=val_fraction,
        max_samples=max_samples,
        seed=seed,
    )


def _source(
    dataset_name: str | Mapping[str, Any],
    data_root: str | Path | None,
    options: Mapping[str, Any],
    given: Mapping[str, Any],
) -> Source:
    """Reads the set with those of the given options that its reader takes."""
    in_memory = not isinstance(dataset_name, str)
    name, path = ("npz", Path()) if in_memory else _locate(str(dataset_name), data_root)
    _check_taken(name, options)
    taken = {key for key in given.keys() & reader_options(name) if given[key] is not None}
    if not isinstance(dataset_name, str):
        return read_memory(dataset_name, **{key: given[key] for key in taken})
    return _read(name, path, {key: given[key] for key in taken})


def _read(name: str, path: Path, options: Mapping[str, Any]) -> Source:
    try:
        return DATASETS[name](path, **options)
    except OSError as error:  # a folder without permission, a disk that fails
        raise DataError(f"{error.filename or path} cannot be read: {error.strerror}.") from error


def _check_taken(name: str, options: Mapping[str, Any]) -> None:
    """Raises `ConfigError` if an option is set that the reader does not take."""
    for option in options.keys() - reader_options(name):
        if options[option] in (None, False):
            continue
        others = [each for each in DATASETS if option in reader_options(each)]
        kinds = f"for {' and '.join(others)} alone" if others else "no option of a data set"
        raise ConfigError(
            f"`{option}` is {kinds}, got {options[option]!r} for {name}. Leave it out."
        )


def check_options(
    levels: int | None, binarization: str, val_fraction: float, max_samples: int | None
) -> None:
    """Raises `ConfigError` if options of `load_data` are out of range, whatever the data set."""
    check_choice("binarization", binarization, get_args(Binarization))
    if binarization != "none" and levels not in (None, 2):
        raise ConfigError(
            f"`levels` must be 2 or left out with `binarization` {binarization!r}, got {levels}."
        )
    if not 0 < val_fraction < 1:
        raise ConfigError(f"`val_fraction` must lie between 0 and 1, got {val_fraction}.")
    if max_samples is not None:
        whole_number("max_samples", max_samples)


def _locate(dataset_name: str, data_root: str | Path | None) -> tuple[str, Path]:
    """The name in `DATASETS`, and the folder or file of the data set."""
    name, _, path = dataset_name.partition(":")
    if name == MEMORY:
        raise ConfigError(
            "The images of this run were arrays in memory. Name others by `data.dataset_name`, "
            "such as npz:FILE."
        )
    if name not in DATASETS or (path and not takes_path(name)):
        forms = [f"{each}:PATH" for each in DATASETS if takes_path(each)]
        raise ConfigError(
            f"`dataset_name` must be one of {', '.join(DATASETS)}, or {', '.join(forms)}, got "
            f"{dataset_name!r}.{suggestion(name, DATASETS)} If it is your own, import the "
            f"file that registers it first."
        )
    if path:
        return name, Path(path).expanduser()
    if data_root is None and takes_path(name):
        raise ConfigError(
            f"`dataset_name` {name!r} needs a path: write {name}:PATH, or set `data_root`."
        )
    return name, Path(data_root or os.environ.get("PIXELCNN_DATA") or "data").expanduser()


def _check_fit(source: Source, levels: int | None, binarization: str, channels: int | None) -> None:
    spec = source.train.spec
    if source.categorical and (levels not in (None, spec.levels) or binarization != "none"):
        raise ConfigError(
            f"The levels of {source.name} are ids or codes without an order, which cannot be "
            f"rounded: leave out `levels` and `binarization`."
        )
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
