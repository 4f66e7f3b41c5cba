"""How a folder of images is divided into splits."""

from collections.abc import Mapping
from pathlib import Path

from pixelcnn.data.data_warnings import first_names, warn_about_data
from pixelcnn.data.files.listing import folder_entries, holds_images
from pixelcnn.data.sources.split_names import split_named
from pixelcnn.errors import DataError

LAYOUT = (
    "images, or one folder of images per class; or the folders `train` and optionally `val` and "
    "`test` (also training, valid, validation, dev, testing, in any case) in one of these forms"
)


def split_folders(path: Path) -> tuple[dict[str, Path], tuple[str, ...]]:
    """The folder of each split, and notes for the protocol on what lies beside them.

    Raises:
        DataError: If there is no folder, or its division into splits is ambiguous.
    """
    if not path.is_dir():
        raise DataError(f"There is no folder {path}. Give a folder that holds {LAYOUT}.")
    files, folders = folder_entries(path)
    named = {folder: split for folder in folders if (split := split_named(folder))}
    if not named:
        return {"train": path}, ()
    found: dict[str, Path] = {}
    for folder, split in named.items():
        if split in found:
            raise DataError(
                f"{path} holds two folders for the split `{split}`, `{found[split].name}` and "
                f"`{folder}`. Join or move one of them."
            )
        found[split] = path / folder
    others = [folder for folder in folders if folder not in named]
    if "train" not in found:
        raise DataError(
            f"{path} holds {_quoted(named)} but no folder `train`. Add it; or if "
            f"{_quoted(named)} is a class, put all classes into a folder `train`."
        )
    return found, _beside(path, named, files, others)


def _beside(
    path: Path, named: Mapping[str, str], files: list[str], others: list[str]
) -> tuple[str, ...]:
    """Notes on what is left out beside the splits.

    Raises:
        DataError: If it may belong to the images: beside a single split, or without a folder.
    """
    full = [folder for folder in others if holds_images(path / folder)]
    if not files and not full:
        return ()
    if files or len(named) == 1:
        beside = f"images ({files[0]})" if files else f"images in {_quoted(full)}"
        raise DataError(
            f"{path} holds {_quoted(named)}, which {'is a split' if len(named) == 1 else 'are'}"
            f"{'' if len(named) == 1 else ' splits'}, and beside it {beside}. Move these away; or "
            f"if {_quoted(named)} is a class, put all classes into a folder `train`."
        )
    note = f"without the folder{'' if len(full) == 1 else 's'} {first_names(full)}"
    warn_about_data(f"{path} is read {note}, which {'is' if len(full) == 1 else 'are'} no split.")
    return (note,)


def _quoted(names: Mapping[str, str] | list[str]) -> str:
    return first_names([f"`{name}`" for name in names])
