"""Labels of a folder's images from a table beside them."""

import csv
from collections.abc import Mapping
from pathlib import Path

from pixelcnn.data.files.listing import Listing
from pixelcnn.data.sources.labels import KnownLabels, known_labels, numbered
from pixelcnn.errors import DataError

FILE_COLUMNS = ("file_name", "file", "filename", "image", "path")
LABEL_COLUMN = "label"


def labels_from_table(
    table: Path, folders: Mapping[str, Path], listings: Mapping[str, Listing], where: str
) -> KnownLabels:
    """The labels of the images of each split, from a CSV file.

    Args:
        table: Has a column `file_name` (or file, filename, image, path), which is relative to the
            folder of the table or of the split, and a column `label`, or one other column.
        folders: The folder of each split.
        listings: The images of each split.
        where: The name of the set in messages.

    Raises:
        DataError: If the table cannot be read, or names files that do not exist.
    """
    classes = _read(table)
    labels_by_split: dict[str, list[str]] = {}
    used = set()
    for split, listing in listings.items():
        labels_by_split[split] = []
        for number in range(len(listing.paths)):
            name = listing.paths.name(number)
            at = [name, f"{folders[split].name}/{name}"]
            key = next((each for each in at if each in classes), name)
            used.add(key)
            labels_by_split[split].append(classes.get(key, ""))
    absent = [name for name in classes if name not in used]
    if absent:
        raise DataError(
            f"{table} names {len(absent):,} files that {where} does not hold, the first "
            f"{absent[0]!r}. Names must be relative to the folder of images, with their endings."
        )
    names = sorted(set(labels_by_split["train"]) - {""})
    labels = {split: numbered(each, names) for split, each in labels_by_split.items()}
    foreign = {split: sorted(set(each) - {"", *names}) for split, each in labels_by_split.items()}
    return known_labels(labels, names, where, foreign=foreign)


def _read(table: Path) -> dict[str, str]:
    """The label of each file in a table."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
            columns = list(reader.fieldnames or ())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"The table {table} cannot be read: {error}.") from error
    files = [column for column in columns if column in FILE_COLUMNS]
    others = [column for column in columns if column not in files]
    if LABEL_COLUMN in others:
        others = [LABEL_COLUMN]
    if len(files) != 1 or len(others) != 1:
        raise DataError(
            f"The table {table} must have one column of {', '.join(FILE_COLUMNS)} and a column "
            f"`{LABEL_COLUMN}`, got {', '.join(columns) or 'none'}."
        )
    found = {row[files[0]]: (row[others[0]] or "").strip() for row in rows}
    if len(found) < len(rows):
        raise DataError(f"The table {table} names a file twice. Give each file one label.")
    return found
