"""Reading the tables that commands write."""

import csv
from pathlib import Path


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a .csv file, each by the heads of its columns."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
