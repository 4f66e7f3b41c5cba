"""Folders of image files."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from pixelcnn.data.files.folder_index import folder_headers
from pixelcnn.data.files.headers import SplitHeaders
from pixelcnn.data.files.listing import Listing, list_images
from pixelcnn.data.image_sets import Source
from pixelcnn.data.sources.image_files import (
    STREAM_ABOVE_BYTES,
    check_channels,
    source_of_images,
)
from pixelcnn.errors import DataError


def read_folder(
    path: Path,
    *,
    image_size: tuple[int, int] | None = None,
    channels: int | None = None,
    stream_above_bytes: int = STREAM_ABOVE_BYTES,
    skip_broken_files: bool = False,
) -> Source:
    """Reads a folder of image files, 8 bits per channel.

    Images are rotated by their EXIF orientation, blended with white where they are transparent,
    and rounded to 8 bits where they have more. Hidden files and files without an image's ending
    are ignored. The headers of many files are cached, see `pixelcnn.data.files.folder_index`.

    Args:
        path: A folder of images; or of one sub-folder per class, each with images at any depth; or
            of sub-folders `train` and optionally `val` and `test` in one of these forms.
        image_size: Height and width wanted; without it all images must have one size.
        channels: 1 for grey, 3 for RGB; without it 1 if every file is grey, otherwise 3.
        stream_above_bytes: Above this size decoded, images stay in their files and are decoded
            batch by batch.
        skip_broken_files: Whether files that cannot be decoded are skipped, counted and named. To
            find them, each file is decoded once; the result is cached with its header.

    Raises:
        ConfigError: If `channels` is neither 1 nor 3.
        DataError: If there is no image, a file is broken, or the sizes differ.
    """
    check_channels(channels)
    listings = {split: list_images(folder) for split, folder in _split_folders(path).items()}
    names = _class_names(listings)
    splits = {
        split: SplitHeaders(
            listing.paths,
            *folder_headers(listing, skip_broken=skip_broken_files),
            classes=_classes(listing, names),
        )
        for split, listing in listings.items()
    }
    return source_of_images(
        f"folder:{path.resolve().name}",
        splits,
        where=str(path),
        label_names=names,
        image_size=image_size,
        channels=channels,
        stream_above_bytes=stream_above_bytes,
    )


def _split_folders(path: Path) -> dict[str, Path]:
    if not path.is_dir():
        raise DataError(f"There is no folder {path}. Give a folder that holds images.")
    found = {name: path / name for name in ("train", "val", "test") if (path / name).is_dir()}
    if found and "train" not in found:
        raise DataError(f"{path} holds a folder `{min(found)}` but no folder `train`. Add it.")
    return found or {"train": path}


def _class_names(listings: Mapping[str, Listing]) -> tuple[str, ...] | None:
    """Names of the classes of the training images, sorted; None without classes."""
    names = [name for name, _ in listings["train"].classes]
    for listing in listings.values():
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
