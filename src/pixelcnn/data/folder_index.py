"""What the headers of a folder's images say, kept so that the next start need not open them."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pixelcnn.data.image_files import Header, read_header, read_pixels
from pixelcnn.data.listing import Listing
from pixelcnn.data.notice import notice
from pixelcnn.errors import DataError, OutputError
from pixelcnn.files import atomic_write

FORMAT = "pixelcnn-folder-index/1"
KEEP_FROM = 1_000  # images: fewer are read in no time
CHUNK = 64  # images that a thread reads at once
THREADS = 8  # of which most wait for a disk or a network

Found = Header | DataError


@dataclass(frozen=True)
class FolderIndex:
    """What is known of N listed images.

    Attributes:
        sizes: Height and width of each. Shape: (N, 2).
        grey: Whether it has no colours. Shape: (N,).
        whole: Whether it has been decoded without an error. Shape: (N,).
        known: Whether its header could be read at all; all else means nothing where not. (N,).
    """

    sizes: NDArray[np.int32]
    grey: NDArray[np.bool_]
    whole: NDArray[np.bool_]
    known: NDArray[np.bool_]

    @classmethod
    def empty(cls, count: int) -> "FolderIndex":
        """One in which nothing is known."""
        no = np.zeros(count, dtype=np.bool_)
        return cls(np.zeros((count, 2), dtype=np.int32), no, no.copy(), no.copy())


def cache_folder() -> Path:
    """Where indices are kept: PIXELCNN_CACHE of the environment, or the user's usual place."""
    usual = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("PIXELCNN_CACHE") or Path(usual) / "pixelcnn").expanduser()


def index_images(
    listing: Listing, *, skip_broken: bool = False
) -> tuple[FolderIndex, dict[int, DataError]]:
    """Finds out about every image of a folder, opening only what is new or has changed.

    Args:
        listing: The files as they are now.
        skip_broken: Whether to go on at a broken file. Every file is then decoded once, since
            most damage shows only there: which images there are is settled before anything is
            learned from them.

    Returns:
        What is known, and the error of each broken file by its number.

    Raises:
        DataError: If a header cannot be read and `skip_broken` is off; the message names the file.
    """
    place = cache_folder() / "folders" / f"{_fingerprint(listing.paths.root)}.npz"
    index, is_stale = _recall(listing, place)
    wanted = index.whole if skip_broken else index.known
    broken: dict[int, DataError] = {}
    todo = np.flatnonzero(~wanted)
    try:
        for number, found in _inspect(listing, todo, decodes=skip_broken):
            if isinstance(found, DataError):
                broken[number] = found
                if not skip_broken:
                    raise found
                continue
            index.sizes[number] = found.height, found.width
            index.grey[number], index.known[number] = found.grey, True
            index.whole[number] = skip_broken
    finally:
        # What was read before a broken file, or before Ctrl-C, need not be read again.
        if len(listing.paths) >= KEEP_FROM and (is_stale or len(broken) < len(todo)):
            _keep(listing, index, place)
    return index, broken


def _inspect(
    listing: Listing, numbers: NDArray[np.int64], *, decodes: bool
) -> Iterator[tuple[int, Found]]:
    """Headers of some images, or what is wrong with them, in order."""
    chunks = np.split(numbers, range(CHUNK, len(numbers), CHUNK))
    look = partial(_look, listing, decodes=decodes)
    with ThreadPoolExecutor(THREADS) as pool:
        # A round at a time, so that an error ends the work and little waits in the memory.
        for start in range(0, len(chunks), 8 * THREADS):
            part = chunks[start : start + 8 * THREADS]
            for chunk, found in zip(part, pool.map(look, part), strict=True):
                yield from zip(chunk.tolist(), found, strict=True)


def _look(listing: Listing, numbers: Iterable[int], *, decodes: bool) -> list[Found]:
    found: list[Found] = []
    for number in numbers:
        path = listing.paths[number]
        try:
            if decodes:
                read_pixels(path, channels=3)
            found.append(read_header(path))
        except DataError as error:
            found.append(error)
    return found


def _recall(listing: Listing, place: Path) -> tuple[FolderIndex, bool]:
    """What was kept of the files that are still the same; and whether there is more to forget."""
    index = FolderIndex.empty(len(listing.paths))
    try:
        kept = _read(place, listing.paths.root)
    except FileNotFoundError:
        return index, True
    except Exception as error:  # zipfile and NumPy raise whatever they trip over in a torn file
        notice(
            f"The index {place} of {listing.paths.root} cannot be used ({error}) and is made anew."
        )
        return index, True
    here, there = _matches(listing, kept)
    for name in ("sizes", "grey", "whole"):
        getattr(index, name)[here] = kept[name][there]
    index.known[here] = True
    return index, len(there) < len(kept["grey"])


def _matches(
    listing: Listing, kept: dict[str, NDArray[np.generic]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers of the files that have not changed, and of their rows in what was kept."""
    text, stamps = kept["text"].tobytes(), kept["stamps"]
    if text == listing.paths.text:
        same = np.flatnonzero((stamps == listing.stamps).all(1))
        return same, same
    rows = {name: row for row, name in enumerate(text.split(b"\0")[:-1])}
    names = listing.paths.text.split(b"\0")[:-1]
    there = np.array([rows.get(name, -1) for name in names], dtype=np.int64)
    here = np.flatnonzero(there >= 0)
    same = (stamps[there[here]] == listing.stamps[here]).all(1)
    return here[same], there[here[same]]


def _keep(listing: Listing, index: FolderIndex, place: Path) -> None:
    known = np.flatnonzero(index.known)
    paths = listing.paths
    if len(known) < len(paths):
        paths = paths.take(known).packed()
    try:
        with atomic_write(place) as temporary:
            np.savez(
                temporary,
                format=FORMAT,
                root=str(paths.root.resolve()),
                text=np.frombuffer(paths.text, dtype=np.uint8),
                stamps=listing.stamps[known],
                sizes=index.sizes[known],
                grey=index.grey[known],
                whole=index.whole[known],
            )
    except OutputError as error:
        notice(f"{error} Without an index the next start opens every image of the folder again.")


def _read(place: Path, root: Path) -> dict[str, NDArray[np.generic]]:
    """The arrays of an index.

    Raises:
        FileNotFoundError: If there is none.
        Exception: Whatever kind, if it is damaged or of something else.
    """
    with place.open("rb") as file:
        # A pickle can run any code: files with one are refused.
        loaded = np.load(file, allow_pickle=False)
        kept = {key: loaded[key] for key in loaded.files}
    if str(kept["format"]) != FORMAT or str(kept["root"]) != str(root.resolve()):
        raise ValueError("it is of another folder or kind")
    count = int((kept["text"] == 0).sum())
    fresh = {**vars(FolderIndex.empty(count)), "stamps": np.empty((count, 3), dtype=np.int64)}
    for key in ("stamps", "sizes", "grey", "whole"):
        if (kept[key].shape, kept[key].dtype) != (fresh[key].shape, fresh[key].dtype):
            raise ValueError("its parts do not fit together")
    return kept


def _fingerprint(root: Path) -> str:
    return hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:24]
