"""The headers of a folder's images, cached so that the next start need not open the files."""

import numpy as np
from numpy.typing import NDArray

from pixelcnn.data.files import index_cache
from pixelcnn.data.files.headers import Headers, fill_headers
from pixelcnn.data.files.listing import Listing
from pixelcnn.errors import DataError

KEPT = {"sizes": (2,), "grey": (), "wide": (), "pages": (), "whole": ()}
SHAPES = {"stamps": (3,), **KEPT}


def folder_headers(
    listing: Listing, *, skip_broken: bool = False
) -> tuple[Headers, dict[int, DataError]]:
    """The headers of a folder's images; opens only files that are new or have changed.

    Args:
        listing: The files as they are now.
        skip_broken: As `pixelcnn.data.files.headers.fill_headers` takes it.

    Returns:
        The headers, and the error of each broken file by its number.

    Raises:
        DataError: If a header cannot be read and `skip_broken` is off; the message names the file.
    """
    key = str(listing.paths.root.resolve())
    path = index_cache.index_path("folders", key)
    with index_cache.index_lock(path, key, len(listing.paths)):
        arrays = index_cache.load_index(path, key, SHAPES)
        headers, is_stale = _from_index(listing, arrays)
        before = headers.num_known
        try:
            errors = fill_headers(listing.paths, headers, skip_broken=skip_broken)
        finally:
            # Headers read before a broken file, or before Ctrl-C, need not be read again.
            if len(listing.paths) >= index_cache.MIN_IMAGES and (
                is_stale or headers.num_known > before
            ):
                index_cache.save_index(path, key, _to_index(listing, headers))
    return headers, errors


def _from_index(listing: Listing, arrays: index_cache.Arrays | None) -> tuple[Headers, bool]:
    """The cached headers of unchanged files; and whether the index holds others too."""
    headers = Headers.empty(len(listing.paths))
    if arrays is None:
        return headers, True
    here, there = _unchanged(listing, arrays["text"].tobytes(), arrays["stamps"])
    for name in KEPT:
        getattr(headers, name)[here] = arrays[name][there]
    headers.known[here] = True
    return headers, len(there) < len(arrays["grey"])


def _unchanged(
    listing: Listing, text: bytes, stamps: NDArray[np.generic]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers of the unchanged files in the listing, and their rows in the index."""
    if text == listing.paths.text:
        same = np.flatnonzero((stamps == listing.stamps).all(1))
        return same, same
    rows = {name: row for row, name in enumerate(text.split(b"\0")[:-1])}
    names = listing.paths.text.split(b"\0")[:-1]
    there = np.array([rows.get(name, -1) for name in names], dtype=np.int64)
    here = np.flatnonzero(there >= 0)
    same = (stamps[there[here]] == listing.stamps[here]).all(1)
    return here[same], there[here[same]]


def _to_index(listing: Listing, headers: Headers) -> index_cache.Arrays:
    known = np.flatnonzero(headers.known)
    paths = listing.paths
    if len(known) < len(paths):
        paths = paths.take(known).packed()
    return {
        "text": np.frombuffer(paths.text, dtype=np.uint8),
        "stamps": listing.stamps[known],
        **{name: getattr(headers, name)[known] for name in KEPT},
    }
