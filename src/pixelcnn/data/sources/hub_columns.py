"""The columns of a table that hold its images and its labels."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from torch import Tensor

from pixelcnn.data.sources.array_conditions import to_labels
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
    """The requested column of labels, or the only one of type ClassLabel; None without one."""
    if requested is not None:
        return _existing(features, requested, "label_column", name)
    labels = [key for key, kind in features.items() if isinstance(kind, datasets.ClassLabel)]
    if len(labels) > 1:
        raise DataError(
            f"{name} has several columns of type ClassLabel. Name one by "
            f"`data.label_column`: {', '.join(labels)}."
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


def classes_of(
    tables: Mapping[str, Any], column: str | None, name: str
) -> tuple[dict[str, Tensor], tuple[str, ...] | None]:
    """The class of each row of each split, (N,), and the names of the classes.

    A column of plain integers is accepted too; the numbers are the names then.

    Raises:
        DataError: If the column holds anything else.
    """
    if column is None:
        return {}, None
    values = {split: table.with_format("numpy")[column][:] for split, table in tables.items()}
    stated = getattr(tables["train"].features[column], "names", None)
    kinds = {array.dtype.kind for array in values.values()}
    if stated is None and kinds <= set("ui"):
        count = max(int(values["train"].max(initial=0)), 0) + 1
        stated = [str(number) for number in range(count)]
    where = f"`{column}` of {name}"
    classes = {
        split: to_labels(
            array,
            len(stated or ()),
            count=len(array),
            where=f"{where} ({split})",
            source="as its type or the training labels say",
        )
        for split, array in values.items()
    }
    return classes, tuple(stated or ())


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
