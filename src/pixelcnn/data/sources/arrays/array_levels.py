"""How many levels the images of NumPy files have."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pixelcnn.data.files.depth import check_bits, check_in_use
from pixelcnn.data.sources.arrays.array_conditions import Array
from pixelcnn.errors import ConfigError, DataError
from pixelcnn.spec import MAX_LEVELS


def level_type(levels: int) -> type[np.unsignedinteger[Any]]:
    """The smallest type in which files hold levels in [0, levels).

    Example:
        >>> level_type(256).__name__, level_type(257).__name__
        ('uint8', 'uint16')
    """
    return np.uint8 if levels <= 256 else np.uint16


def stated_levels(stated: Array, path: Path) -> int:
    """The number in `levels` of a file.

    Raises:
        DataError: If it is not a number of levels.
    """
    if stated.ndim or stated.dtype.kind not in "ui" or not 2 <= int(stated) <= MAX_LEVELS:
        raise DataError(
            f"`levels` of {path} must be one whole number from 2 to {MAX_LEVELS}, got "
            f"{stated if not stated.ndim else f'an array {stated.shape}'}."
        )
    return int(stated)


def stored_levels(
    arrays: Mapping[str, Array], path: Path, bits: int | None
) -> tuple[int, tuple[str, ...]]:
    """The number of levels in the file, or stated by `bits`, or implied by its type; and notes."""
    check_bits(bits)
    images = arrays["x_train"]
    if "levels" in arrays:
        levels = stated_levels(arrays["levels"], path)
        if bits is not None and levels != 2**bits:
            raise ConfigError(f"`bits` must be left out: {path} holds {levels} `levels`.")
        return levels, ()
    if bits is not None:
        return 2**bits, ()
    by_type = {"bool": 2, "uint8": 256, "uint16": MAX_LEVELS}
    if images.dtype.name not in by_type:
        raise DataError(
            f"{path} holds {images.dtype}, which does not say how many levels there are. State "
            f"their bits by `data.bits`, or save an .npz file with the key `levels`: "
            f"np.savez(..., levels=512)."
        )
    levels = by_type[images.dtype.name]
    if levels == 2:
        return levels, ()
    return levels, check_in_use(int(images.max()), levels, str(path), is_array=True)
