"""Which columns of a table hold its images and its labels."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from torch import Tensor

from pixelcnn.data.sources.array_conditions import to_labels
from pixelcnn.errors import ConfigError, DataError


def image_column_of(
    datasets: ModuleType, features: Mapping[str, Any], asked: str | None, name: str
) -> str:
    """The column of images: the one asked for, or the only one of type Image.

    Args:
        datasets: The library.
        features: The types of all columns, by name.
        asked: `data.image_column`.
        name: What messages call the data set.

    Raises:
        ConfigError: If there is no column of the name asked for.
        DataError: If none or several are of that type.
    """
    if asked is not None:
        return _existing(features, asked, "image_column", name)
    images = [key for key, kind in features.items() if isinstance(kind, datasets.Image)]
    if len(images) != 1:
        raise DataError(
            f"{name} must have one column of type Image, got {len(images)}. Name the one to take "
            f"by `data.image_column`: {_columns(features)}."
        )
    return images[0]


def label_column_of(
    datasets: ModuleType, features: Mapping[str, Any], asked: str | None, name: str
) -> str | None:
    """The column of labels, likewise: asked for, or the only one of type ClassLabel, or none."""
    if asked is not None:
        return _existing(features, asked, "label_column", name)
    labels = [key for key, kind in features.items() if isinstance(kind, datasets.ClassLabel)]
    if len(labels) > 1:
        raise DataError(
            f"{name} has several columns of type ClassLabel. Name the one to take by "
            f"`data.label_column`: {', '.join(labels)}."
        )
    return labels[0] if labels else None


def _existing(features: Mapping[str, Any], asked: str, setting: str, name: str) -> str:
    if asked not in features:
        raise ConfigError(
            f"`data.{setting}` must be a column of {name}, got {asked!r}. It has: "
            f"{_columns(features)}."
        )
    return asked


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

    A column of plain integers is taken too; the numbers are the names then.

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


def undecoded(datasets: ModuleType, table: Any, column: str, name: str) -> Any:
    """The column of images alone, as they are stored.

    Raises:
        DataError: If it cannot be taken for one of image files or their contents.
    """
    try:
        return table.select_columns([column]).cast_column(column, datasets.Image(decode=False))
    except Exception as error:  # pyarrow raises whatever it trips over
        raise DataError(
            f"The column `{column}` of {name} must hold image files, got "
            f"{_columns({column: table.features[column]})}."
        ) from error
