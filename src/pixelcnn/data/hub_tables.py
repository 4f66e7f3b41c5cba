"""Tables of the Hugging Face library `datasets`, from the hub or from files, by their splits."""

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from pixelcnn.errors import DataError

SPLITS = {
    "train": ("train", "training"),
    "val": ("validation", "valid", "val", "dev"),
    "test": ("test",),
}
BUILDERS = {".parquet": "parquet", ".arrow": "arrow"}
SAVED = ("dataset_dict.json", "state.json")  # what `save_to_disk` leaves


def open_tables(datasets: ModuleType, where: Path) -> Mapping[str, Any]:
    """The tables of a data set by the names of its splits."""
    name = where.as_posix()
    is_local = where.exists()
    if not is_local and (where.suffix in BUILDERS or len(where.parts) > 2 or where.is_absolute()):
        raise DataError(f"There is no file or folder {where}. Name one, or a set of the hub.")
    if where.is_file() and where.suffix not in BUILDERS:
        raise DataError(f"{where} must end in {' or '.join(BUILDERS)}, got {where.suffix!r}.")
    try:
        with _quiet(datasets):
            if where.is_file():
                files = {"train": name}
                return dict(datasets.load_dataset(BUILDERS[where.suffix], data_files=files))
            if any((where / file).is_file() for file in SAVED):
                found = datasets.load_from_disk(name)
                return {"train": found} if isinstance(found, datasets.Dataset) else dict(found)
            return dict(datasets.load_dataset(name))
    except Exception as error:  # its builders and pyarrow raise whatever they trip over
        reason = str(error.__cause__ or error).strip().split("\n")[0].rstrip(".")
        if is_local:
            raise DataError(
                f"{where} cannot be read as a data set ({reason}). It may be truncated, or of "
                f"another kind: write it again."
            ) from error
        raise DataError(
            f"The data set {name} of the hub cannot be fetched ({reason}). Check its name at "
            f"https://huggingface.co/datasets and the network, or fetch it elsewhere and name its "
            f"folder or .parquet file: hf:PATH."
        ) from error


def by_split(found: Mapping[str, Any], name: str) -> tuple[dict[str, Any], list[str]]:
    """Tables of train, val and test; and a note on splits that are none of these."""
    if len(found) == 1:  # whatever it is called, it is all there is
        return {"train": next(iter(found.values()))}, []
    chosen = {
        split: next(spelt for spelt in spellings if spelt in found)
        for split, spellings in SPLITS.items()
        if set(spellings) & set(found)
    }
    if "train" not in chosen:
        raise DataError(f"{name} must have a split `train`, got {', '.join(found)}.")
    others = sorted(set(found) - set(chosen.values()))
    notes = [f"without its {'split' if len(others) == 1 else 'splits'} {', '.join(others)}"]
    return {split: found[spelt] for split, spelt in chosen.items()}, notes if others else []


@contextmanager
def _quiet(datasets: ModuleType) -> Iterator[None]:
    """Without its log, whose errors are raised too, and bars where nobody watches them."""
    logger = logging.getLogger("datasets")
    level, had_bars = logger.level, not datasets.are_progress_bars_disabled()
    logger.setLevel(logging.CRITICAL)
    if not sys.stderr.isatty():
        datasets.disable_progress_bars()
    try:
        yield
    finally:
        logger.setLevel(level)
        if had_bars:
            datasets.enable_progress_bars()
