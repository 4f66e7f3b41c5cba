"""Tables of the Hugging Face library `datasets`, from the hub or from files, by their splits."""

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from pixelcnn.data.sources.split_names import split_named
from pixelcnn.errors import ConfigError, DataError

BUILDERS = {".parquet": "parquet", ".arrow": "arrow"}
SAVED = ("dataset_dict.json", "state.json")  # written by `save_to_disk`


def open_tables(datasets: ModuleType, path: Path, subset: str | None = None) -> Mapping[str, Any]:
    """The tables of a data set by the names of its splits.

    Args:
        datasets: The library.
        path: A file, a folder, or the name of a set of the hub.
        subset: Name of one subset of a set that has several.

    Raises:
        ConfigError: If `subset` is set for a single file or a folder of one table.
        DataError: If there is no such set, or it cannot be read or fetched.
    """
    is_saved = any((path / file).is_file() for file in SAVED)
    if not path.exists() and _looks_local(path):
        raise DataError(f"There is no file or folder {path}. Name one, or a set of the hub.")
    if path.is_file() and path.suffix not in BUILDERS:
        raise DataError(f"{path} must end in {' or '.join(BUILDERS)}, got {path.suffix!r}.")
    if subset is not None and (path.is_file() or is_saved):
        raise ConfigError(f"`data.subset` must be left out: {path} has none, got {subset!r}.")
    try:
        with _quiet(datasets):
            if path.is_file():
                files = {"train": str(path)}
                return dict(datasets.load_dataset(BUILDERS[path.suffix], data_files=files))
            if is_saved:
                found = datasets.load_from_disk(str(path))
                return {"train": found} if isinstance(found, datasets.Dataset) else dict(found)
            return dict(datasets.load_dataset(path.as_posix(), subset))
    except Exception as error:  # its builders and pyarrow raise errors of many types
        raise _unreadable(path, error) from error


def _looks_local(path: Path) -> bool:
    """Whether a name cannot be one of the hub: NAME or OWNER/NAME."""
    return path.suffix in BUILDERS or len(path.parts) > 2 or path.is_absolute()


def _unreadable(path: Path, error: Exception) -> DataError:
    # The second line lists the subsets, if one must be chosen; the rest is for developers.
    lines = str(error.__cause__ or error).strip().split("\n")[:2]
    reason = " ".join(line.strip() for line in lines).rstrip(".")
    if path.exists():
        return DataError(
            f"{path} cannot be read as a data set ({reason}). It may be truncated, or of another "
            f"kind: write it again."
        )
    return DataError(
        f"The data set {path.as_posix()} of the hub cannot be fetched ({reason}). Check its name "
        f"and `data.subset` at https://huggingface.co/datasets, and the network; or fetch it "
        f"elsewhere and name its folder or .parquet file: hf:PATH."
    )


def tables_by_split(found: Mapping[str, Any], name: str) -> tuple[dict[str, Any], list[str]]:
    """The tables of train, val and test, and a note on other splits."""
    if len(found) == 1:  # whatever its name
        return {"train": next(iter(found.values()))}, []
    chosen: dict[str, str] = {}
    for spelt in found:
        split = split_named(spelt)
        if split in chosen:
            raise DataError(
                f"{name} has two tables for the split `{split}`, `{chosen[split]}` and `{spelt}`. "
                f"Leave one out."
            )
        if split is not None:
            chosen[split] = spelt
    if "train" not in chosen:
        raise DataError(f"{name} must have a split `train`, got {', '.join(found)}.")
    others = sorted(set(found) - set(chosen.values()))
    notes = [f"without its {'split' if len(others) == 1 else 'splits'} {', '.join(others)}"]
    return {split: found[spelt] for split, spelt in chosen.items()}, notes if others else []


@contextmanager
def _quiet(datasets: ModuleType) -> Iterator[None]:
    """Turns off its log, whose errors are raised too, and its bars without a terminal."""
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
