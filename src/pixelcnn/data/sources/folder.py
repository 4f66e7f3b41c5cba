"""Folders of image files."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from pixelcnn.data.files.decoding import decode
from pixelcnn.data.files.folder_index import index_images
from pixelcnn.data.files.headers import Inspected, common_spec, left_out
from pixelcnn.data.files.listing import Listing, list_images
from pixelcnn.data.image_sets import Source
from pixelcnn.data.streaming import STREAM_ABOVE_BYTES, Files, hold_or_stream
from pixelcnn.errors import ConfigError, DataError


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
    `pixelcnn.data.files.folder_index`.

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
    parts = {
        split: Inspected(
            listing.paths,
            *index_images(listing, skip_broken=skip_broken_files),
            classes=_classes(listing, names),
        )
        for split, listing in listed.items()
    }
    spec = common_spec(parts, image_size=image_size, channels=channels)
    decoder = partial(decode, channels=spec.channels, size=(spec.height, spec.width))
    stores = {
        split: (Files(listed[split].paths.take(part.numbers), decoder), part.labels)
        for split, part in parts.items()
    }
    sets = hold_or_stream(stores, spec, stream_above_bytes)
    return Source(
        f"folder:{root.resolve().name}",
        sets["train"],
        sets.get("val"),
        sets.get("test"),
        label_names=names,
        notes=left_out(str(root), parts),
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


def _classes(listing: Listing, names: tuple[str, ...] | None) -> Tensor | None:
    """The class of each image, (N,)."""
    if names is None:
        return None
    numbers = {name: number for number, name in enumerate(names)}
    classes = torch.tensor([numbers[name] for name, _ in listing.classes])
    return classes.repeat_interleave(torch.tensor([count for _, count in listing.classes]))
