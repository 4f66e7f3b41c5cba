"""What the headers of a table's images say, kept likewise."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pixelcnn.data.files import index_cache
from pixelcnn.data.files.headers import Encoded, Headers, inspect
from pixelcnn.errors import DataError

LIKE = {"sizes": (2,), "grey": (), "whole": (), "known": ()}


def index_rows(
    images: Encoded, files: Sequence[Path], column: str, *, skip_broken: bool
) -> tuple[Headers, dict[int, DataError]]:
    """Finds out about every image of a table, or recalls it while the table is the same.

    Args:
        images: The rows.
        files: Where they are stored; none if they are in the memory, of which nothing is kept.
        column: Which column they are.
        skip_broken: As `pixelcnn.data.files.headers.inspect` takes it.

    Returns:
        What is known, and the error of each broken image by its number.

    Raises:
        DataError: If a header cannot be read and `skip_broken` is off; the message names the row.
    """
    key = "\n".join([column, *(str(file.resolve()) for file in files)])
    place, stamps = index_cache.place_of("tables", key), _stamps(files)
    headers = Headers.empty(len(images))
    if not files:
        return headers, inspect(images, headers, skip_broken=skip_broken)
    with index_cache.making(place, key, len(images)):
        arrays = index_cache.recall(place, key, LIKE)
        if (
            arrays is not None
            and np.array_equal(arrays["stamps"], stamps)
            and len(arrays["known"]) == len(images)
        ):
            for name in LIKE:
                getattr(headers, name)[:] = arrays[name]
        before = headers.num_known
        errors = inspect(images, headers, skip_broken=skip_broken)
        if len(images) >= index_cache.KEEP_FROM and headers.num_known > before:
            index_cache.keep(place, key, {"stamps": stamps, **vars(headers)})
    return headers, errors


def _stamps(files: Sequence[Path]) -> NDArray[np.int64]:
    """Size and times of each file, as `pixelcnn.data.files.listing.Listing` has them. (F, 3)."""
    stats = [file.stat() for file in files]
    return np.array([(s.st_size, s.st_mtime_ns, s.st_ctime_ns) for s in stats], dtype=np.int64)
