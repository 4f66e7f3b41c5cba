"""The image files of a folder, with the sizes and times of when it was listed."""

import os
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

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


def list_images(folder: Path) -> Listing:
    """Lists the images of a folder without opening any.

    Hidden files and files without an image's ending are ignored.

    Raises:
        DataError: If there is no image, a class is empty, or some images have no class.
    """
    text, stamps = bytearray(), array("q")
    files, folders = _entries(folder, follow=True)
    if files:
        within = next((child for child in folders if any(_walk(folder, f"{child}/"))), None)
        if within is not None:
            raise DataError(
                f"{folder} holds images in itself ({files[0]}) and in sub-folders ({within}). Put "
                f"all into sub-folders, one per class, or none."
            )
        folders = []
    classes = []
    for child in folders or [""]:
        prefix = f"{child}/" if child else ""
        before = len(stamps)
        for name, stat in _walk(folder, prefix):
            text += os.fsencode(name) + b"\0"
            stamps.extend((stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns))
        if folders and len(stamps) == before:
            raise DataError(
                f"The class folder {folder / child} holds no images. Fill or remove it."
            )
        classes.append((child, (len(stamps) - before) // 3))
    if not stamps:
        raise DataError(
            f"{folder} holds no images. Files must end in one of {', '.join(sorted(SUFFIXES))}."
        )
    paths = PackedPaths(folder, bytes(text))
    return Listing(
        paths,
        np.frombuffer(stamps, dtype=np.int64).reshape(-1, 3),
        tuple(classes) if folders else (),
    )


def _walk(root: Path, prefix: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yields the images below a folder, in order: name relative to the root, and `stat`."""
    folder = root / prefix
    files, folders = _entries(folder, follow=False)
    inner = set(folders)
    # One at a time: a million of these would fill a gigabyte.
    for name in sorted([*files, *folders]):
        if name in inner:
            yield from _walk(root, f"{prefix}{name}/")
        else:
            # A `Path` for each would double the time of the listing.
            yield prefix + name, os.stat(f"{folder}/{name}")  # noqa: PTH116


def _entries(folder: Path, *, follow: bool) -> tuple[list[str], list[str]]:
    """Names of the images and of the folders in a folder, each sorted.

    Args:
        folder: Where to look.
        follow: Whether to follow links to folders. Only classes may be links: deeper ones could
            form a cycle.
    """
    files, folders = [], []
    # Not `Path.iterdir`: an entry knows its type without another system call.
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=follow):
                folders.append(entry.name)
            elif _suffix(entry.name) in SUFFIXES and entry.is_file():
                files.append(entry.name)
    return sorted(files), sorted(folders)


def _suffix(name: str) -> str:
    # A `Path` for each of a million names would take seconds.
    return f".{name.rpartition('.')[2].lower()}"
