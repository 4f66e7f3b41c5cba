"""The headers of a table's images, cached so that the next start need not open them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pixelcnn.data.files import index_cache
from pixelcnn.data.files.headers import EncodedImages, Headers, fill_headers
from pixelcnn.errors import DataError

SHAPES = {"sizes": (2,), "grey": (), "wide": (), "pages": (), "whole": (), "known": ()}


def table_headers(
    images: EncodedImages, files: Sequence[Path], column: str, *, skip_broken: bool
) -> tuple[Headers, dict[int, DataError]]:
    """The headers of a table's images, from the cache while the table is the same.

    Args:
        images: The rows.
        files: The files of the table; none if it is in memory, which is not cached.
        column: The column of images.
        skip_broken: As `pixelcnn.data.files.headers.fill_headers` takes it.

    Returns:
        The headers, and the error of each broken image by its number.

    Raises:
        DataError: If a header cannot be read and `skip_broken` is off; the message names the row.
    """
    headers = Headers.empty(len(images))
    if not files:
        return headers, fill_headers(images, headers, skip_broken=skip_broken)
    key = "\n".join([column, *(str(file.resolve()) for file in files)])
    path, stamps = index_cache.index_path("tables", key), _stamps(files)
    with index_cache.index_lock(path, key, len(images)):
        arrays = index_cache.load_index(path, key, SHAPES)
        if (
            arrays is not None
            and np.array_equal(arrays["stamps"], stamps)
            and len(arrays["known"]) == len(images)
        ):
            for name in SHAPES:
                getattr(headers, name)[:] = arrays[name]
        before = headers.num_known
        errors = fill_headers(images, headers, skip_broken=skip_broken)
        if len(images) >= index_cache.MIN_IMAGES and headers.num_known > before:
            index_cache.save_index(path, key, {"stamps": stamps, **vars(headers)})
    return headers, errors


def _stamps(files: Sequence[Path]) -> NDArray[np.int64]:
    """Size and times of each file, as `pixelcnn.data.files.listing.Listing` has them. (F, 3)."""
    stats = [file.stat() for file in files]
    return np.array([(s.st_size, s.st_mtime_ns, s.st_ctime_ns) for s in stats], dtype=np.int64)
