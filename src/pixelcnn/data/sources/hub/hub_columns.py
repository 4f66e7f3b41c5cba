"""The columns of a table that hold its images and its labels."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelcnn.data.sources.arrays.array_conditions import to_labels
from pixelcnn.data.sources.labels import UNKNOWN, KnownLabels, known_labels, numbered
from pixelcnn.errors import ConfigError, DataError


def find_image_column(
    datasets: ModuleType, features: Mapping[str, Any], requested: str | None, name: str
) -> str:
    """The requested column of images, or the only one of type Image.

    Args:
        datasets: The library.
        features: The types of all columns, by name.
        requested: `data.image_column`.
        name: The name of the data set in messages.

    Raises:
        ConfigError: If there is no column of the requested name.
        DataError: If none or several are of that type.
    """
    if requested is not None:
        return _existing(features, requested, "image_column", name)
    images = [key for key, kind in features.items() if isinstance(kind, datasets.Image)]
    if len(images) != 1:
        raise DataError(
            f"{name} must have one column of type Image, got {len(images)}. Name one "
            f"by `data.image_column`: {_columns(features)}."
        )
    return images[0]


def find_label_column(
    datasets: ModuleType, features: Mapping[str, Any], requested: str | None, name: str
) -> str | None:
    """The requested column of labels, or the only one of type ClassLabel; None without one.

    An empty name requests none.
    """
    if requested == "":
        return None
    if requested is not None:
        return _existing(features, requested, "label_column", name)
    labels = [key for key, kind in features.items() if isinstance(kind, datasets.ClassLabel)]
    if len(labels) > 1:
        raise DataError(
            f"{name} has several columns of type ClassLabel. Name one by "
            f"`data.label_column`: {', '.join(labels)}; or set it to '' for none."
        )
    return labels[0] if labels else None


def _existing(features: Mapping[str, Any], requested: str, setting: str, name: str) -> str:
    if requested not in features:
        raise ConfigError(
            f"`data.{setting}` must be a column of {name}, got {requested!r}. It has: "
            f"{_columns(features)}."
        )
    return requested


def _columns(features: Mapping[str, Any]) -> str:
    """Names of all columns, with their types.

    Example:
        >>> _columns({"picture": b"", "title": ""})
        'picture (bytes), title (str)'
    """

    def kind(feature: Any) -> str:
        return str(getattr(feature, "dtype", None) or type(feature).__name__)

    return ", ".join(f"{name} ({kind(feature)})" for name, feature in features.items())


def classes_of(tables: Mapping[str, Any], column: str | None, name: str) -> KnownLabels:
    """The class of each row of each split, and the names of the classes.

    A column of plain integers is accepted too, of which the numbers are the names; and one of
    texts, which are the names in alphabetical order. -1, nothing and an empty text mean that the
    class is not known.

    Raises:
        DataError: If the column holds anything else.
    """
    if column is None:
        return KnownLabels(dict.fromkeys(tables), None, ())
    values = {split: _cells(table, column) for split, table in tables.items()}
    stated = getattr(tables["train"].features[column], "names", None)
    kinds = {array.dtype.kind for array in values.values()}
    foreign: dict[str, list[str]] = {}
    where = f"`{column}` of {name}"
    if stated is None and kinds == {"U"}:
        stated = sorted(set(values["train"].tolist()) - {""})
        foreign = {
            split: sorted(set(each.tolist()) - {"", *stated}) for split, each in values.items()
        }
        values = {split: numbered(each.tolist(), stated).numpy() for split, each in values.items()}
    elif stated is None and kinds <= set("ui"):
        count = max(int(values["train"].max(initial=0)), 0) + 1
        stated = [str(number) for number in range(count)]
    labels = {
        split: to_labels(
            array,
            len(stated or ()),
            count=len(array),
            where=f"{where} ({split})",
            source="as its type or the training labels say",
            unknown=True,
        )
        for split, array in values.items()
    }
    return known_labels(labels, stated or (), where, foreign=foreign)


def _cells(table: Any, column: str) -> NDArray[np.generic]:
    """A column as an array: integers with -1 for nothing, or texts with "" for nothing."""
    array: NDArray[Any] = np.asarray(table.with_format("numpy")[column][:])
    if array.dtype.kind == "f" and (np.isnan(array) | (array == np.round(array))).all():
        return np.where(np.isnan(array), UNKNOWN, array).astype(np.int64)
    if array.dtype.kind in "OT" and all(cell is None or isinstance(cell, str) for cell in array):
        return np.array([cell or "" for cell in array], dtype=np.str_)
    return array


def encoded_column(datasets: ModuleType, table: Any, column: str, name: str) -> Any:
    """The table with the column of images alone, not decoded.

    Raises:
        DataError: If it does not hold image files or their contents.
    """
    try:
        return table.select_columns([column]).cast_column(column, datasets.Image(decode=False))
    except Exception as error:  # pyarrow raises errors of many types
        raise DataError(
            f"The column `{column}` of {name} must hold image files, got "
            f"{_columns({column: table.features[column]})}."
        ) from error
