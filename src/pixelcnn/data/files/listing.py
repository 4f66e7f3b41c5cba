"""The image files of a folder, with the sizes and times of when it was listed."""

import os
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pixelcnn.data.data_warnings import warn_about_data
from pixelcnn.data.files.decoding import SUFFIXES
from pixelcnn.data.files.packed_paths import PackedPaths
from pixelcnn.errors import DataError


@dataclass(frozen=True)
class Listing:
    """The image files of one folder, in the order of their names.

    Attributes:
        paths: N files.
        stamps: Size in bytes, mtime and ctime in nanoseconds, by which a changed file is known.
            Shape: (N, 3).
        classes: Name and number of images of each class, in order; empty if the images lie in the
            folder itself.
    """

    paths: PackedPaths
    stamps: NDArray[np.int64]
    classes: tuple[tuple[str, int], ...]


def list_images(folder: Path, *, label_depth: int = 1) -> Listing:
    """Lists the images of a folder without opening any.

    Hidden files and files without an image's ending are ignored. A link that leads nowhere is
    listed where its name has an image's ending, and breaks when it is opened.

    Args:
        folder: Where to look.
        label_depth: Folders below it whose names make the class, such as 2 for the class
            `cat/small` of `cat/small/1.png`. 0: there are no classes.

    Raises:
        DataError: If there is no image, a class is empty, some images have no class, or a link
            leads nowhere and may have been a folder.
    """
    files, folders = folder_entries(folder)
    if files and label_depth:
        within = next((child for child in folders if holds_images(folder / child)), None)
        if within is not None:
            raise DataError(
                f"{folder} holds images in itself ({files[0]}) and in sub-folders ({within}). Put "
                f"all into sub-folders, one per class, or none; or read all without classes by "
                f"`data.label_depth=0`."
            )
        folders = []
    text, stamps = bytearray(), array("q")
    classes: list[tuple[str, int]] = []
    for child in folders if label_depth and folders else [""]:
        before = len(stamps)
        for name, stat in _walk(folder, f"{child}/" if child else ""):
            text += os.fsencode(name) + b"\0"
            stamps.extend((stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns))
            if child:
                _count(classes, _class_of(folder, name, label_depth))
        if child and len(stamps) == before:
            raise DataError(
                f"The class folder {folder / child} holds no images. Fill or remove it."
            )
    if not stamps:
        raise DataError(
            f"{folder} holds no images. Files must end in one of {', '.join(sorted(SUFFIXES))}."
        )
    paths = PackedPaths(folder, bytes(text))
    return Listing(paths, np.frombuffer(stamps, dtype=np.int64).reshape(-1, 3), tuple(classes))


def _class_of(folder: Path, name: str, label_depth: int) -> str:
    """The class of a file by the first folders of its name."""
    parts = name.split("/", label_depth)
    if len(parts) <= label_depth:
        raise DataError(
            f"{folder / name} must lie in {label_depth} folders, which name its class, got "
            f"{len(parts) - 1}. Move it, or set `data.label_depth`."
        )
    return "/".join(parts[:-1])


def _count(classes: list[tuple[str, int]], name: str) -> None:
    """Counts one more image of a class; those of one class come one after the other."""
    if classes and classes[-1][0] == name:
        classes[-1] = (name, classes[-1][1] + 1)
    else:
        classes.append((name, 1))


def holds_images(folder: Path) -> bool:
    """Whether there is an image in a folder, at any depth."""
    return any(_walk(folder, ""))


def _walk(root: Path, prefix: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yields the images below a folder, in order: name relative to the root, and `stat`."""
    folder = root / prefix
    files, folders = folder_entries(folder, follow=False)
    inner = set(folders)
    # One at a time: a million of these would fill a gigabyte.
    for name in sorted([*files, *folders]):
        if name in inner:
            yield from _walk(root, f"{prefix}{name}/")
        else:
            # A `Path` for each would double the time of the listing.
            try:
                stat = os.stat(f"{folder}/{name}")  # noqa: PTH116
            except FileNotFoundError:  # a link that leads nowhere
                stat = os.lstat(f"{folder}/{name}")
            yield prefix + name, stat


def folder_entries(folder: Path, *, follow: bool = True) -> tuple[list[str], list[str]]:
    """Names of the images and of the folders in a folder, each sorted.

    Args:
        folder: Where to look.
        follow: Whether to follow links to folders. Only classes may be links: deeper ones could
            form a cycle.

    Raises:
        DataError: If a link leads nowhere and may have been a folder.
    """
    files, folders = [], []
    # Not `Path.iterdir`: an entry knows its type without another system call.
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=follow):
                folders.append(entry.name)
            elif entry.is_dir():
                warn_about_data(
                    f"{entry.path} is a link to a folder within a class, which is not followed."
                )
            elif _suffix(entry.name) in SUFFIXES and (entry.is_file() or _is_dead(entry)):
                files.append(entry.name)
            elif "." not in entry.name and _is_dead(entry):
                raise DataError(
                    f"{entry.path} is a link that leads nowhere, to {Path(entry.path).readlink()}. "
                    f"Fetch what it stands for (git annex get, dvc pull), or remove it."
                )
    return sorted(files), sorted(folders)


def _is_dead(entry: "os.DirEntry[str]") -> bool:
    return entry.is_symlink() and not Path(entry.path).exists()


def _suffix(name: str) -> str:
    # A `Path` for each of a million names would take seconds.
    return f".{name.rpartition('.')[2].lower()}"
