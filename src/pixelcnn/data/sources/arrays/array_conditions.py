"""Labels, attributes and maps in NumPy files."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pixelcnn.data.conditions import Conditions
from pixelcnn.data.sources.labels import UNKNOWN, KnownLabels, known_labels
from pixelcnn.errors import DataError
from pixelcnn.spec import MAX_LEVELS

Array = NDArray[np.generic]

# The first letters of a kind's keys, and the key of its names.
PREFIXES = {"labels": "y", "attributes": "attributes", "maps": "maps"}
NAMES = {"labels": "label_names", "attributes": "attribute_names"}
KEYS = {
    *(f"{prefix}_{split}" for prefix in PREFIXES.values() for split in ("train", "val", "test")),
    *NAMES.values(),
}


def read_conditions(
    arrays: Mapping[str, Array], split: str, path: Path, labels: Tensor | None
) -> Conditions:
    """The conditions of one split, of each kind that the training images have, with its labels.

    Raises:
        DataError: If a kind exists for some splits only, or does not fit the images.
    """
    kinds = [kind for kind in ("attributes", "maps") if has_kind(arrays, kind, path)]
    for kind in kinds:
        _check_held(arrays, f"{kind}_{split}", path)
    return Conditions(
        labels,
        *(
            _numbers(arrays[f"{kind}_{split}"], f"`{kind}_{split}` of {path}", axes)
            if kind in kinds
            else None
            for kind, axes in (("attributes", 2), ("maps", 4))
        ),
    )


def _check_held(arrays: Mapping[str, Array], key: str, path: Path, advice: str = "") -> None:
    """Raises `DataError` if the training images have what another split lacks."""
    if key not in arrays:
        prefix, split = key.rsplit("_", 1)
        raise DataError(
            f"{path} holds `{prefix}_train` and `x_{split}`, so it must hold `{key}` too.{advice}"
        )


def has_kind(arrays: Mapping[str, Array], kind: str, path: Path) -> bool:
    """Whether the training images have conditions of a kind; if not, no other split may."""
    prefix = PREFIXES[kind]
    if f"{prefix}_train" in arrays:
        return True
    stray = [key for key in (f"{prefix}_val", f"{prefix}_test", NAMES.get(kind)) if key in arrays]
    if stray:
        raise DataError(f"{path} holds `{stray[0]}` but no `{prefix}_train`. Add it or leave both.")
    return False


def read_labels(arrays: Mapping[str, Array], splits: Iterable[str], path: Path) -> KnownLabels:
    """The labels of all splits, and one name per class: those of the file, or the numbers.

    Raises:
        DataError: If they are not class numbers of these images.
    """
    if not has_kind(arrays, "labels", path):
        return KnownLabels(dict.fromkeys(splits), None, ())
    names = _label_names(arrays)
    labels = {}
    for split in splits:
        _check_held(arrays, f"y_{split}", path, " Write -1 where a label is not known.")
        labels[split] = to_labels(
            arrays[f"y_{split}"],
            len(names),
            count=len(arrays[f"x_{split}"]),
            where=f"`y_{split}` of {path}",
            source="as `label_names`, or else the training labels say",
            unknown=True,
        )
    return known_labels(labels, names, str(path))


def _label_names(arrays: Mapping[str, Array]) -> tuple[str, ...]:
    if "label_names" in arrays:
        return _texts(arrays["label_names"])
    y_train = arrays["y_train"]
    if y_train.dtype.kind not in "ui" or not y_train.size:
        return ()
    return tuple(str(label) for label in range(min(max(int(y_train.max()), 0) + 1, MAX_LEVELS)))


def attribute_names(arrays: Mapping[str, Array], path: Path) -> tuple[str, ...] | None:
    """One name per attribute: those of the file, or the numbers; None without attributes.

    Raises:
        DataError: If there are more or fewer names than attributes, or two are the same.
    """
    if not has_kind(arrays, "attributes", path):
        return None
    count = arrays["attributes_train"].shape[-1] if arrays["attributes_train"].ndim else 0
    if "attribute_names" not in arrays:
        return tuple(str(number) for number in range(count))
    names = _texts(arrays["attribute_names"])
    if len(names) != count or len(set(names)) != count:
        raise DataError(
            f"`attribute_names` of {path} must hold one name for each of the {count} attributes, "
            f"all different, got {len(names)}: {', '.join(names)}."
        )
    return names


def _texts(array: Array) -> tuple[str, ...]:
    return tuple(str(text) for text in array.ravel())


def to_labels(
    labels: Array, num_labels: int, *, count: int, where: str, source: str, unknown: bool = False
) -> Tensor:
    """Checks class numbers of images.

    Args:
        labels: Integers. Shape: (N,) or (N, 1).
        num_labels: Labels must be below it.
        count: Images N, at least one.
        where: The name of the array in messages.
        source: The origin of `num_labels` in messages.
        unknown: Whether a label may be `UNKNOWN`.

    Returns:
        Shape: (N,), int64.

    Raises:
        DataError: If they are not class numbers of these images.
    """
    if labels.dtype.kind not in "ui" or labels.shape not in ((count,), (count, 1)):
        many = labels.ndim == 2 and len(labels) == count
        advice = " Save several labels per image as `attributes_train` …" if many else ""
        raise DataError(
            f"{where} must hold one integer per image, shape ({count},), got {labels.dtype} of "
            f"shape {labels.shape}.{advice}"
        )
    if labels.min() < (UNKNOWN if unknown else 0) or labels.max() >= num_labels:
        also = f", or {UNKNOWN} where it is unknown" if unknown else ""
        raise DataError(
            f"{where} must hold labels from 0 to {num_labels - 1}, {source}{also}, got values "
            f"from {labels.min()} to {labels.max()}."
        )
    return torch.from_numpy(labels.reshape(count).astype(np.int64))


def as_maps(array: Array, channels: int, where: str) -> Tensor:
    """Converts given maps to a condition.

    Args:
        array: Shape: (N, A, H, W), or (A, H, W) for one map; any plain numbers.
        channels: A.
        where: The name of their source in messages.

    Returns:
        Shape: (N, A, H, W), float32.

    Raises:
        DataError: If the array is not such maps.

    Example:
        >>> as_maps(np.ones((2, 4, 4)), 2, "`ones`").shape
        torch.Size([1, 2, 4, 4])
    """
    maps = array[None] if array.ndim == 3 else array
    if maps.dtype.kind not in "buif" or maps.ndim != 4 or not maps.size or len(maps[0]) != channels:
        raise DataError(
            f"{where} must hold numbers of shape (N, {channels}, H, W), or ({channels}, H, W) for "
            f"one, got {array.dtype} of shape {array.shape}."
        )
    planes = _numbers(maps, where, 4)
    if not planes.isfinite().all():
        raise DataError(f"{where} must hold finite 32-bit numbers.")
    return planes


def _numbers(array: Array, where: str, num_axes: int) -> Tensor:
    """Attributes or maps as float32; `Conditions.checked` compares them with the images."""
    if array.dtype.kind not in "buif" or array.ndim != num_axes:
        shape = "(N, A)" if num_axes == 2 else "(N, A, H, W)"
        raise DataError(
            f"{where} must hold numbers of shape {shape}, got {array.dtype} of shape {array.shape}."
        )
    with np.errstate(over="ignore"):  # too large becomes infinite, which is refused with NaN
        return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))
