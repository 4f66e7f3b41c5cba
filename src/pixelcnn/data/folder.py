"""Folders of image files."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pixelcnn.data.folder_index import FolderIndex, index_images
from pixelcnn.data.image_files import LEVELS, decode
from pixelcnn.data.listing import Listing, list_images
from pixelcnn.data.notice import notice, some
from pixelcnn.data.sets import Source
from pixelcnn.data.streaming import STREAM_ABOVE_BYTES, Files, hold_or_stream
from pixelcnn.errors import ConfigError, DataError
from pixelcnn.spec import ImageSpec


@dataclass(frozen=True)
class _Part:
    """One split: its files, what is known of each, and its errors by the names of files."""

    listing: Listing
    index: FolderIndex
    numbers: NDArray[np.int64]  # of the files that can be read
    broken: dict[str, DataError]


def read_folder(
    root: Path,
    *,
    image_size: tuple[int, int] | None = None,
    channels: int | None = None,
    stream_above_bytes: int = STREAM_ABOVE_BYTES,
    skip_broken_files: bool = False,
) -> Source:
    """Reads a folder of images, 8 bits per channel.

    Images are turned as their EXIF orientation says, laid on white where they are
    transparent, and rounded to 8 bits where they have more. Hidden files and files with other
    endings than those of images are left out. What the headers of many files say is kept, see
    `pixelcnn.data.folder_index`.

    Args:
        root: Images in it; or one sub-folder per class, each with images at any depth; or
            sub-folders `train` and optionally `val` and `test` that look like one of these.
        image_size: Height and width wanted; without it all images must have one size.
        channels: 1 for grey, 3 for RGB; without it 1 if every file is grey, otherwise 3.
        stream_above_bytes: Above this size decoded, images stay in their files and are decoded
            batch by batch.
        skip_broken_files: Whether files that cannot be decoded are left out, counted and named. To
            find them, each file is decoded once; that it is whole is kept like its header.

    Raises:
        ConfigError: If `channels` is neither 1 nor 3.
        DataError: If there is no image, a file is broken, or the sizes differ.
    """
    if channels not in (None, 1, 3):
        raise ConfigError(f"`channels` of a folder of images must be 1 or 3, got {channels}.")
    listed = {split: list_images(folder) for split, folder in _split_folders(root).items()}
    names = _class_names(listed)
    parts = {split: _inspect(listing, skip_broken_files) for split, listing in listed.items()}
    spec = _find_spec(parts, image_size=image_size, channels=channels)
    decoder = partial(decode, channels=spec.channels, size=(spec.height, spec.width))
    stores = {
        split: (Files(part.listing.paths.take(part.numbers), decoder), _labels(part, names))
        for split, part in parts.items()
    }
    sets = hold_or_stream(stores, spec, stream_above_bytes)
    return Source(
        f"folder:{root.resolve().name}",
        sets["train"],
        sets.get("val"),
        sets.get("test"),
        label_names=names,
        notes=_left_out(root, parts),
        resized=image_size is not None,
    )


def _split_folders(root: Path) -> dict[str, Path]:
    if not root.is_dir():
        raise DataError(f"There is no folder {root}. Give a folder that holds images.")
    found = {name: root / name for name in ("train", "val", "test") if (root / name).is_dir()}
    if found and "train" not in found:
        raise DataError(f"{root} holds a folder `{min(found)}` but no folder `train`. Add it.")
    return found or {"train": root}


def _class_names(listed: Mapping[str, Listing]) -> tuple[str, ...] | None:
    """Those of the training images, sorted; None if they are in no classes."""
    names = [name for name, _ in listed["train"].classes]
    for listing in listed.values():
        first = 0
        for name, count in listing.classes or (("", len(listing.paths)),):
            if name not in (names or ("",)):
                raise DataError(
                    f"{listing.paths[first]} must lie in one of the classes of the training images "
                    f"({', '.join(names) or 'none'}), got {name or 'none'}."
                )
            first += count
    return tuple(names) or None


def _inspect(listing: Listing, skip_broken: bool) -> _Part:
    index, errors = index_images(listing, skip_broken=skip_broken)
    numbers = np.flatnonzero(index.whole if skip_broken else index.known)
    if not len(numbers):
        raise DataError(
            f"Of the {len(listing.paths):,} image files of {listing.paths.root} none can be read. "
            f"The first: {errors[0]}"
        )
    broken = {str(listing.paths[number]): error for number, error in errors.items()}
    return _Part(listing, index, numbers, broken)


def _find_spec(
    parts: Mapping[str, _Part], *, image_size: tuple[int, int] | None, channels: int | None
) -> ImageSpec:
    """One size for all images unless they will be resized, and grey or RGB."""
    train = parts["train"]
    size = train.index.sizes[train.numbers[0]]
    for part in parts.values():
        others = part.numbers[(part.index.sizes[part.numbers] != size).any(1)]
        if image_size is None and len(others):
            one, other = train.listing.paths[train.numbers[0]], part.listing.paths[others[0]]
            height, width = part.index.sizes[others[0]]
            raise DataError(
                f"All images must have one size without `image_size`: {one} has {size[0]}×"
                f"{size[1]}, {other} has {height}×{width} (height × width). Set `image_size`."
            )
    is_grey = all(part.index.grey[part.numbers].all() for part in parts.values())
    height, width = image_size or (int(size[0]), int(size[1]))
    return ImageSpec(channels or (1 if is_grey else 3), height, width, LEVELS)


def _labels(part: _Part, names: tuple[str, ...] | None) -> Tensor | None:
    if names is None:
        return None
    numbers = {name: number for number, name in enumerate(names)}
    classes = torch.tensor([numbers[name] for name, _ in part.listing.classes])
    counts = torch.tensor([count for _, count in part.listing.classes])
    return classes.repeat_interleave(counts)[torch.from_numpy(part.numbers)]


def _left_out(root: Path, parts: Mapping[str, _Part]) -> tuple[str, ...]:
    """How many files are broken, for the protocol; and once for people, by name."""
    broken = {name: error for part in parts.values() for name, error in part.broken.items()}
    if not broken:
        return ()
    count = f"{len(broken):,} broken {'file' if len(broken) == 1 else 'files'} left out"
    notice(f"{count} of {root}: {some(list(broken))}. {next(iter(broken.values()))}")
    return (count,)
