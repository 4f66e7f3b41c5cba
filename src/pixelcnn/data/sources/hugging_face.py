"""Data sets of the Hugging Face hub, and local ones in its formats, by its library `datasets`."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from pixelcnn.data.files.decoding import decode
from pixelcnn.data.files.headers import Inspected, common_spec, left_out
from pixelcnn.data.files.table_index import index_rows
from pixelcnn.data.image_sets import Source
from pixelcnn.data.sources.hub_columns import (
    classes_of,
    image_column_of,
    label_column_of,
    undecoded,
)
from pixelcnn.data.sources.hub_tables import by_split, open_tables
from pixelcnn.data.streaming import STREAM_ABOVE_BYTES, hold_or_stream
from pixelcnn.errors import ConfigError, DataError, require


def read_hugging_face(
    where: Path,
    *,
    image_size: tuple[int, int] | None = None,
    channels: int | None = None,
    stream_above_bytes: int = STREAM_ABOVE_BYTES,
    skip_broken_files: bool = False,
    subset: str | None = None,
    image_column: str | None = None,
    label_column: str | None = None,
) -> Source:
    """Reads a data set with a column of images, 8 bits per channel.

    Images are treated as those of `read_folder`. Tables stay on the disk, where any row can be
    read; images are decoded when they are needed if they are too many for the memory.

    Args:
        where: A .parquet or .arrow file; a folder of such files, or one that `save_to_disk` of the
            library wrote; or the name of a set of the hub, such as ylecun/mnist, which the library
            downloads and keeps where HF_HOME of the environment says.
        image_size: As `read_folder`.
        channels: As `read_folder`.
        stream_above_bytes: As `read_folder`.
        skip_broken_files: As `read_folder`.
        subset: Which one, of a set that has several ("configurations" on the hub).
        image_column: Name of the column of images; without it the one of type `Image`.
        label_column: Name of the column of labels; without it the one of type `ClassLabel`, if
            there is one.

    Raises:
        ConfigError: If a column of that name is missing, or `channels` is neither 1 nor 3.
        DataError: If the set is missing, damaged, without images, or cannot be fetched.
        MissingDependencyError: If `datasets` is not installed.
    """
    if channels not in (None, 1, 3):
        raise ConfigError(f"`channels` of image files must be 1 or 3, got {channels}.")
    datasets = require("datasets", extra="datasets")
    name = where.as_posix()
    tables, notes = by_split(open_tables(datasets, where, subset), name)
    features = tables["train"].features
    column = image_column_of(datasets, features, image_column, name)
    labels = label_column_of(datasets, features, label_column, name)
    classes, label_names = classes_of(tables, labels, name)
    rows = {
        split: Rows(undecoded(datasets, table, column, name), column, f"{name} ({split})")
        for split, table in tables.items()
    }
    parts = {
        split: _inspect(each, classes.get(split), skip_broken_files) for split, each in rows.items()
    }
    spec = common_spec(parts, image_size=image_size, channels=channels)
    size = (spec.height, spec.width)
    stores = {
        split: (RowStore(rows[split], part.numbers, spec.channels, size), part.labels)
        for split, part in parts.items()
    }
    sets = hold_or_stream(stores, spec, stream_above_bytes)
    return Source(
        f"hf:{where.name if where.exists() else name}{f' ({subset})' if subset else ''}",
        sets["train"],
        sets.get("val"),
        sets.get("test"),
        label_names=label_names,
        notes=(*notes, *left_out(name, parts)),
        resized=image_size is not None,
    )


@dataclass(frozen=True)
class Rows:
    """The images of a table, not decoded: `Encoded`, by the number of the row.

    Attributes:
        table: A `datasets.Dataset`, mapped into the memory.
        column: Which column holds the images.
        where: What messages call the table.
    """

    table: Any
    column: str
    where: str

    def __len__(self) -> int:
        return len(self.table)

    def content(self, index: int) -> Path | bytes:
        """The image file of a row: inside the table, or the path that is there instead."""
        cell = self.table[int(index)][self.column] or {}
        if cell.get("bytes") is None and cell.get("path") is None:
            raise DataError(f"{self.origin(index)} holds no image. Fill or remove it.")
        return Path(cell["path"]) if cell.get("bytes") is None else bytes(cell["bytes"])

    def origin(self, index: int) -> str:
        """Which row."""
        return f"Row {int(index):,} of {self.where}"


@dataclass(frozen=True)
class RowStore:
    """Images of some rows, decoded one by one: `Store`."""

    rows: Rows
    numbers: Tensor
    channels: int
    size: tuple[int, int]

    def __len__(self) -> int:
        return len(self.numbers)

    def decode(self, index: int) -> Tensor:
        """The levels of one image. Shape: (C, H, W), uint8."""
        row = int(self.numbers[index])
        return decode(
            self.rows.content(row),
            channels=self.channels,
            size=self.size,
            name=self.rows.origin(row),
        )

    def take(self, indices: Tensor) -> "RowStore":
        """The images with these numbers."""
        return replace(self, numbers=self.numbers[indices])


def _inspect(rows: Rows, classes: Tensor | None, skip_broken: bool) -> Inspected:
    files = [Path(each["filename"]) for each in rows.table.cache_files]
    headers, errors = index_rows(rows, files, rows.column, skip_broken=skip_broken)
    return Inspected(rows, headers, errors, classes)
