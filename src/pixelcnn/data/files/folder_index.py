"""What the headers of a folder's images say, kept so that the next start need not open them."""

import numpy as np
from numpy.typing import NDArray

from pixelcnn.data.files import index_cache
from pixelcnn.data.files.headers import Headers, inspect
from pixelcnn.data.files.listing import Listing
from pixelcnn.errors import DataError

LIKE = {"stamps": (3,), "sizes": (2,), "grey": (), "whole": ()}


def index_images(
    listing: Listing, *, skip_broken: bool = False
) -> tuple[Headers, dict[int, DataError]]:
    """Finds out about every image of a folder, opening only what is new or has changed.

    Args:
        listing: The files as they are now.
        skip_broken: As `pixelcnn.data.files.headers.inspect` takes it.

    Returns:
        What is known, and the error of each broken file by its number.

    Raises:
        DataError: If a header cannot be read and `skip_broken` is off; the message names the file.
    """
    key = _key(listing)
    with index_cache.making(index_cache.place_of("folders", key), key, len(listing.paths)):
        headers, is_stale = _recall(listing)
        before = headers.num_known
        try:
            errors = inspect(listing.paths, headers, skip_broken=skip_broken)
        finally:
            # What was read before a broken file, or before Ctrl-C, need not be read again.
            if len(listing.paths) >= index_cache.KEEP_FROM and (
                is_stale or headers.num_known > before
            ):
                _keep(listing, headers)
    return headers, errors


def _recall(listing: Listing) -> tuple[Headers, bool]:
    """What was kept of the files that are still the same; and whether there is more to forget."""
    headers, key = Headers.empty(len(listing.paths)), _key(listing)
    arrays = index_cache.recall(index_cache.place_of("folders", key), key, LIKE)
    if arrays is None:
        return headers, True
    here, there = _matches(listing, arrays["text"].tobytes(), arrays["stamps"])
    for name in ("sizes", "grey", "whole"):
        getattr(headers, name)[here] = arrays[name][there]
    headers.known[here] = True
    return headers, len(there) < len(arrays["grey"])


def _matches(
    listing: Listing, text: bytes, stamps: NDArray[np.generic]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers of the files that have not changed, and of their rows in what was kept."""
    if text == listing.paths.text:
        same = np.flatnonzero((stamps == listing.stamps).all(1))
        return same, same
    rows = {name: row for row, name in enumerate(text.split(b"\0")[:-1])}
    names = listing.paths.text.split(b"\0")[:-1]
    there = np.array([rows.get(name, -1) for name in names], dtype=np.int64)
    here = np.flatnonzero(there >= 0)
    same = (stamps[there[here]] == listing.stamps[here]).all(1)
    return here[same], there[here[same]]


def _keep(listing: Listing, headers: Headers) -> None:
    known = np.flatnonzero(headers.known)
    paths = listing.paths
    if len(known) < len(paths):
        paths = paths.take(known).packed()
    arrays: index_cache.Arrays = {
        "text": np.frombuffer(paths.text, dtype=np.uint8),
        "stamps": listing.stamps[known],
        "sizes": headers.sizes[known],
        "grey": headers.grey[known],
        "whole": headers.whole[known],
    }
    index_cache.keep(index_cache.place_of("folders", _key(listing)), _key(listing), arrays)


def _key(listing: Listing) -> str:
    return str(listing.paths.root.resolve())
