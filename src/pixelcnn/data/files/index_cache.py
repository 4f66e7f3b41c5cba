"""The cache of image headers in the user's cache folder, one index file per data set."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pixelcnn.data.data_warnings import warn_about_data
from pixelcnn.errors import OutputError
from pixelcnn.files import atomic_write
from pixelcnn.locks import exclusive_lock

Arrays = dict[str, NDArray[np.generic]]

FORMAT = "pixelcnn-index/2"
MIN_IMAGES = 1_000  # smaller sets are read quickly and not cached
MAX_BYTES = 2**30  # of all indices of a kind: those of twenty million images


def cache_folder() -> Path:
    """The cache folder: PIXELCNN_CACHE of the environment, or the user's usual place."""
    usual = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("PIXELCNN_CACHE") or Path(usual) / "pixelcnn").expanduser()


def index_path(kind: str, key: str) -> Path:
    """The file of one index."""
    name = hashlib.sha256(os.fsencode(key)).hexdigest()[:24]
    return cache_folder() / kind / f"{name}.npz"


@contextmanager
def index_lock(path: Path, key: str, count: int) -> Iterator[None]:
    """Lets one process at a time build a large index: others wait, and then load it.

    Args:
        path: The file of the index.
        key: The data set.
        count: Number of images.
    """
    if count < MIN_IMAGES:
        yield
        return
    with suppress(OSError):  # `save_index` warns
        path.parent.mkdir(parents=True, exist_ok=True)
    line = f"Another process is opening the images of {key}: waiting for its index."
    with exclusive_lock(path.with_suffix(".lock"), on_wait=lambda: warn_about_data(line)):
        yield


def load_index(path: Path, key: str, shapes: Mapping[str, Sequence[int]]) -> Arrays | None:
    """The arrays of an index; None if there is none, or, with a warning, if it is unusable.

    Args:
        path: Its file.
        key: The data set.
        shapes: The arrays that must be there, with their shapes after the first axis, which has
            the same length in all of them.
    """
    try:
        with path.open("rb") as file:
            # A pickle can run any code: files with one are refused.
            loaded = np.load(file, allow_pickle=False)
            arrays = {name: loaded[name] for name in loaded.files}
        if str(arrays.pop("format")) != FORMAT or str(arrays.pop("key")) != key:
            raise ValueError("it is of another data set")
        counts = {len(arrays[name]) for name in shapes}
        fit = [arrays[name].shape[1:] == tuple(shape) for name, shape in shapes.items()]
        if len(counts) > 1 or not all(fit):
            raise ValueError("its arrays do not fit together")
    except FileNotFoundError:
        return None
    except Exception as error:  # zipfile and NumPy raise errors of many types
        warn_about_data(f"The index {path} of {key} cannot be used ({error}) and is made anew.")
        return None
    with suppress(OSError):  # a read-only cache
        os.utime(path)  # the time of its last use, for `_evict`
    return arrays


def save_index(path: Path, key: str, arrays: Mapping[str, NDArray[np.generic]]) -> None:
    """Writes an index, whole or not at all; warns where it cannot be written."""
    try:
        with atomic_write(path) as temporary:
            np.savez(temporary, format=FORMAT, key=key, **arrays)  # type: ignore[arg-type]
        _evict(path)
    except OutputError as error:
        warn_about_data(f"{error} Without an index the next start opens every image again.")


def _evict(newest: Path) -> None:
    """Removes the least recently used indices beside one, where all exceed `MAX_BYTES`.

    Nothing else would: a changed table is a new one to the library `datasets`, and the index of a
    deleted folder is never loaded again.
    """
    with suppress(OSError):  # another process removes them at the same time
        stats = {path: path.stat() for path in newest.parent.glob("*.npz")}
        size = 0
        for path in sorted(stats, key=lambda path: -stats[path].st_mtime_ns):
            size += stats[path].st_size
            if size > MAX_BYTES and path != newest:
                path.unlink()
