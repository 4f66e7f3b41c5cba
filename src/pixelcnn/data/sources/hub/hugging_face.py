"""Data sets of the Hugging Face hub, and local ones in its formats, by its library `datasets`."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pixelcnn.data.files.headers import SplitHeaders
from pixelcnn.data.files.pages import Paging
from pixelcnn.data.files.table_index import table_headers
from pixelcnn.data.image_sets import Source
from pixelcnn.data.sources.folders.image_files import (
    STREAM_ABOVE_BYTES,
    ImageFileOptions,
    source_of_images,
)
from pixelcnn.data.sources.hub.hub_columns import (
    classes_of,
    encoded_column,
    find_image_column,
    find_label_column,
)
from pixelcnn.data.sources.hub.hub_tables import open_tables, tables_by_split
from pixelcnn.errors import DataError, require


def read_hugging_face(
    path: Path,
    *,
    image_size: tuple[int, int] | None = None,
    channels: int | None = None,
    bits: int | None = None,
    categorical: bool = False,
    pages: Paging | None = None,
    stream_above_bytes: int = STREAM_ABOVE_BYTES,
    skip_broken_files: bool = False,
    subset: str | None = None,
    image_column: str | None = None,
    label_column: str | None = None,
) -> Source:
    """Reads a data set with a column of images.

    Images are treated as by `read_folder`. Tables stay on the disk, where any row can be read.

    Args:
        path: A .parquet or .arrow file; a folder of such files, or one that `save_to_disk` of the
            library wrote; or the name of a set of the hub, such as ylecun/mnist, which the library
            downloads to the folder that HF_HOME of the environment names.
        image_size: As `read_folder`.
        channels: As `read_folder`.
        bits: As `read_folder`; without it also that of a column of arrays of uint8 or uint16.
        categorical: As `read_folder`.
        pages: As `read_folder`.
        stream_above_bytes: As `read_folder`.
        skip_broken_files: As `read_folder`.
        subset: Name of one subset ("configuration" on the hub) of a set that has several.
        image_column: Name of the column of images; without it the one of type `Image`.
        label_column: Name of the column of labels: numbers or texts; without it the one of type
            `ClassLabel`, if there is one. "": no labels.

    Raises:
        ConfigError: If a column of that name is missing, or an option is out of range.
        DataError: If the set is missing, damaged, without images, or cannot be fetched.
        MissingDependencyError: If `datasets` is not installed.
    """
    options = ImageFileOptions(image_size, channels, bits, categorical, pages, stream_above_bytes)
    datasets = require("datasets", extra="datasets")
    name = path.as_posix()
    tables, notes = tables_by_split(open_tables(datasets, path, subset), name)
    features = tables["train"].features
    column = find_image_column(datasets, features, image_column, name)
    if bits is None and getattr(features[column], "dtype", None) in ("uint8", "uint16"):
        options = replace(options, bits=int(features[column].dtype[4:]))
    labels = find_label_column(datasets, features, label_column, name)
    classes = classes_of(tables, labels, name)
    splits = {}
    for split, table in tables.items():
        rows = Rows(encoded_column(datasets, table, column, name), column, f"{name} ({split})")
        splits[split] = _read_headers(rows, skip_broken_files)
    return source_of_images(
        f"hf:{path.name if path.exists() else name}{f' ({subset})' if subset else ''}",
        splits,
        options,
        classes,
        where=name,
        notes=tuple(notes),
    )


@dataclass(frozen=True)
class Rows:
    """The images of a table, not decoded: `EncodedImages`, by the number of the row.

    Attributes:
        table: A `datasets.Dataset`, mapped into the memory.
        column: The column of images.
        where: The name of the table in messages.
    """

    table: Any
    column: str
    where: str

    def __len__(self) -> int:
        return len(self.table)

    def content(self, index: int) -> Path | bytes:
        """The image file of a row: its content, or its path where the table holds that."""
        cell = self.table[int(index)][self.column] or {}
        if cell.get("bytes") is None and cell.get("path") is None:
            raise DataError(f"{self.origin(index)} holds no image. Fill or remove it.")
        return Path(cell["path"]) if cell.get("bytes") is None else bytes(cell["bytes"])

    def origin(self, index: int) -> str:
        """The row, for messages."""
        return f"Row {int(index):,} of {self.where}"


def _read_headers(rows: Rows, skip_broken: bool) -> SplitHeaders:
    files = [Path(each["filename"]) for each in rows.table.cache_files]
    headers, errors = table_headers(rows, files, rows.column, skip_broken=skip_broken)
    return SplitHeaders(rows, headers, errors)
