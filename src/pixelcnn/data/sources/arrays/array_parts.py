"""One data set in several NumPy files, such as shards of samples."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pixelcnn.data.sources.arrays.array_conditions import PREFIXES, Array
from pixelcnn.errors import DataError

BY_IMAGE = {
    f"{prefix}_{split}"
    for prefix in ("x", *PREFIXES.values())
    for split in ("train", "val", "test")
}
UNREAD = ("codebook", "notes")  # may differ between files


def join_parts(parts: Mapping[Path, Mapping[str, Array]]) -> dict[str, Array]:
    """The arrays of several files as those of one, in the order of the files.

    Args:
        parts: The arrays of each file, see `read_npz`. Entries per image are concatenated; all
            others must be equal in every file.

    Raises:
        DataError: If the files differ in their arrays, or in one that is not per image.

    Example:
        >>> files = {Path(name): {"x_train": np.zeros((2, 8, 8), np.uint8)} for name in "ab"}
        >>> join_parts(files)["x_train"].shape
        (4, 8, 8)
    """
    first, *others = parts
    joined = {key: array for key, array in parts[first].items() if key not in UNREAD}
    for path in others:
        _check_same(joined, first, parts[path], path)
    for key in sorted(BY_IMAGE & set(joined)):
        try:
            joined[key] = np.concatenate([arrays[key] for arrays in parts.values()])
        except ValueError as error:
            raise DataError(
                f"`{key}` must have images of one shape in all files beside {first}: {error}."
            ) from error
    return joined


def _check_same(
    wanted: Mapping[str, Array], first: Path, found: Mapping[str, Array], path: Path
) -> None:
    """Raises `DataError` unless a file has the arrays of the first, with equal common ones."""
    if set(found) - set(UNREAD) != set(wanted):
        raise DataError(
            f"{path} must hold the same arrays as {first}, {', '.join(sorted(wanted))}, "
            f"got {', '.join(sorted(found)) or 'none'}."
        )
    for key, array in wanted.items():
        if key not in BY_IMAGE and not np.array_equal(array, found[key]):
            raise DataError(f"`{key}` of {path} must equal that of {first}, got another one.")
