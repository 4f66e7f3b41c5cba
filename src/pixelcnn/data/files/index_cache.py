"""What is kept of large data sets between two starts, in a cache folder of the user."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pixelcnn.data.data_warnings import notice
from pixelcnn.errors import OutputError
from pixelcnn.files import atomic_write
from pixelcnn.locks import exclusive_lock

Arrays = dict[str, NDArray[np.generic]]

FORMAT = "pixelcnn-index/1"
KEEP_FROM = 1_000  # images: fewer are read in no time
MOST_BYTES = 2**30  # of all indices of a kind: those of twenty million images


def cache_folder() -> Path:
    """Where indices are kept: PIXELCNN_CACHE of the environment, or the user's usual place."""
    usual = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("PIXELCNN_CACHE") or Path(usual) / "pixelcnn").expanduser()


def place_of(kind: str, key: str) -> Path:
    """The file of one index."""
    name = hashlib.sha256(os.fsencode(key)).hexdigest()[:24]
    return cache_folder() / kind / f"{name}.npz"


@contextmanager
def making(place: Path, key: str, count: int) -> Iterator[None]:
    """Lets one process at a time find out about many images: others wait, and then recall it.

    Args:
        place: The file of the index.
        key: What it is made of.
        count: Images.
    """
    if count < KEEP_FROM:
        yield
        return
    with suppress(OSError):  # `keep` will say so
        place.parent.mkdir(parents=True, exist_ok=True)
    line = f"Another process is opening the images of {key}: waiting for its index."
    with exclusive_lock(place.with_suffix(".lock"), on_wait=lambda: notice(line)):
        yield


def recall(place: Path, key: str, like: Mapping[str, Sequence[int]]) -> Arrays | None:
    """The arrays of an index; None if there is none, or, with a word, if it cannot be used.

    Args:
        place: Its file.
        key: What it was made of.
        like: The shape after the first axis, which is as long in all of them, of each array that
            must be there.
    """
    try:
        with place.open("rb") as file:
            # A pickle can run any code: files with one are refused.
            loaded = np.load(file, allow_pickle=False)
            arrays = {name: loaded[name] for name in loaded.files}
        if str(arrays.pop("format")) != FORMAT or str(arrays.pop("key")) != key:
            raise ValueError("it is of something else")
        counts = {len(arrays[name]) for name in like}
        shapes = [arrays[name].shape[1:] == tuple(shape) for name, shape in like.items()]
        if len(counts) > 1 or not all(shapes):
            raise ValueError("its parts do not fit together")
    except FileNotFoundError:
        return None
    except Exception as error:  # zipfile and NumPy raise whatever they trip over in a torn file
        notice(f"The index {place} of {key} cannot be used ({error}) and is made anew.")
        return None
    with suppress(OSError):  # a cache that can only be read
        os.utime(place)  # used now, for `_make_room`
    return arrays


def keep(place: Path, key: str, arrays: Mapping[str, NDArray[np.generic]]) -> None:
    """Writes an index, whole or not at all; where that cannot be done, a word says so."""
    try:
        with atomic_write(place) as temporary:
            np.savez(temporary, format=FORMAT, key=key, **arrays)  # type: ignore[arg-type]
        _make_room(place)
    except OutputError as error:
        notice(f"{error} Without an index the next start opens every image again.")


def _make_room(newest: Path) -> None:
    """Removes the indices beside one that were not used for longest, where all take too much.

    Nobody else would: a table that changes is another one to the library `datasets`, and a folder
    that was deleted is not asked for again.
    """
    with suppress(OSError):  # another process removes them at the same time
        stats = {path: path.stat() for path in newest.parent.glob("*.npz")}
        taken = 0
        for path in sorted(stats, key=lambda path: -stats[path].st_mtime_ns):
            taken += stats[path].st_size
            if taken > MOST_BYTES and path != newest:
                path.unlink()
