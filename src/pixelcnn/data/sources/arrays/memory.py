"""Images in memory: arrays of NumPy or tensors."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from pixelcnn.data.image_sets import Source
from pixelcnn.data.sources.arrays.arrays import source_from_arrays

MEMORY = "memory"
"""The name of a set of arrays, in settings and protocols."""

SHORT = {"x": "x_train", "y": "y_train", "attributes": "attributes_train", "maps": "maps_train"}


def read_memory(
    arrays: Mapping[str, Any], *, bits: int | None = None, categorical: bool | None = None
) -> Source:
    """Makes a set of arrays, with the keys of `pixelcnn.data.sources.arrays.arrays.read_npz`.

    Args:
        arrays: Arrays, tensors or numbers by key; `x`, `y`, `attributes` and `maps` are those of
            the training images.
        bits: As `read_npz`.
        categorical: As `read_npz`.

    Raises:
        DataError: If they do not fit together.

    Example:
        >>> images = np.arange(256, dtype=np.uint8).reshape(4, 8, 8)
        >>> read_memory({"x": images, "y": [0, 1, 1, 0]}).label_names
        ('0', '1')
    """
    named = {SHORT.get(key, key): _as_array(value) for key, value in arrays.items()}
    if categorical is None:
        categorical = "codebook" in named
    return source_from_arrays(
        MEMORY, named, path=Path("the given arrays"), bits=bits, categorical=categorical
    )


def _as_array(value: Any) -> np.ndarray[Any, Any]:
    return value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)
