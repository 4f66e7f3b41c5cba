"""What the headers of a folder's images say, kept so that the next start need not open them."""

import hashlib
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pixelcnn.data.inspection import Headers, inspect
from pixelcnn.data.listing import Listing
from pixelcnn.data.notice import notice
from pixelcnn.errors import DataError, OutputError
from pixelcnn.files import atomic_write

FORMAT = "pixelcnn-folder-index/1"
KEEP_FROM = 1_000  # images: fewer are read in no time


def cache_folder() -> Path:
    """Where indices are kept: PIXELCNN_CACHE of the environment, or the user's usual place."""
    usual = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("PIXELCNN_CACHE") or Path(usual) / "pixelcnn").expanduser()


def index_images(
    listing: Listing, *, skip_broken: bool = False
) -> tuple[Headers, dict[int, DataError]]:
    """Finds out about every image of a folder, opening only what is new or has changed.

    Args:
        listing: The files as they are now.
        skip_broken: As `pixelcnn.data.inspection.inspect` takes it.

    Returns:
        What is known, and the error of each broken file by its number.

    Raises:
        DataError: If a header cannot be read and `skip_broken` is off; the message names the file.
    """
    place = cache_folder() / "folders" / f"{_fingerprint(listing.paths.root)}.npz"
    headers, is_stale = _recall(listing, place)
    before = headers.known.sum() + headers.whole.sum()
    try:
        errors = inspect(listing.paths, headers, skip_broken=skip_broken)
    finally:
        # What was read before a broken file, or before Ctrl-C, need not be read again.
        has_learned = headers.known.sum() + headers.whole.sum() > before
        if len(listing.paths) >= KEEP_FROM and (is_stale or has_learned):
            _keep(listing, headers, place)
    return headers, errors


def _recall(listing: Listing, place: Path) -> tuple[Headers, bool]:
    """What was kept of the files that are still the same; and whether there is more to forget."""
    headers = Headers.empty(len(listing.paths))
    try:
        kept = _read(place, listing.paths.root)
    except FileNotFoundError:
        return headers, True
    except Exception as error:  # zipfile and NumPy raise whatever they trip over in a torn file
        notice(
            f"The index {place} of {listing.paths.root} cannot be used ({error}) and is made anew."
        )
        return headers, True
    here, there = _matches(listing, kept)
    for name in ("sizes", "grey", "whole"):
        getattr(headers, name)[here] = kept[name][there]
    headers.known[here] = True
    return headers, len(there) < len(kept["grey"])


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


def _keep(listing: Listing, headers: Headers, place: Path) -> None:
    known = np.flatnonzero(headers.known)
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
                sizes=headers.sizes[known],
                grey=headers.grey[known],
                whole=headers.whole[known],
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
    fresh = {**vars(Headers.empty(count)), "stamps": np.empty((count, 3), dtype=np.int64)}
    for key in ("stamps", "sizes", "grey", "whole"):
        if (kept[key].shape, kept[key].dtype) != (fresh[key].shape, fresh[key].dtype):
            raise ValueError("its parts do not fit together")
    return kept


def _fingerprint(root: Path) -> str:
    return hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:24]
