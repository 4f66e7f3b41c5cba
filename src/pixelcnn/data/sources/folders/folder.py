"""Folders of image files."""

from collections.abc import Mapping
from pathlib import Path

import torch

from pixelcnn.arguments import whole_number
from pixelcnn.data.files.folder_index import folder_headers
from pixelcnn.data.files.headers import SplitHeaders
from pixelcnn.data.files.listing import Listing, list_images
from pixelcnn.data.files.pages import Paging
from pixelcnn.data.image_sets import Source
from pixelcnn.data.sources.folders.folder_layout import split_folders
from pixelcnn.data.sources.folders.image_files import (
    STREAM_ABOVE_BYTES,
    ImageFileOptions,
    source_of_images,
)
from pixelcnn.data.sources.folders.label_table import labels_from_table
from pixelcnn.data.sources.labels import KnownLabels, known_labels, numbered
from pixelcnn.errors import ConfigError


def read_folder(
    path: Path,
    *,
    image_size: tuple[int, int] | None = None,
    channels: int | None = None,
    bits: int | None = None,
    categorical: bool = False,
    pages: Paging | None = None,
    stream_above_bytes: int = STREAM_ABOVE_BYTES,
    skip_broken_files: bool = False,
    label_depth: int | None = None,
    labels: str | Path | None = None,
) -> Source:
    """Reads a folder of image files.

    Images are rotated by their EXIF orientation, and blended with white where they are
    transparent. Hidden files and files without an image's ending
    are ignored. The headers of many files are cached, see `pixelcnn.data.files.folder_index`.

    Args:
        path: A folder of images; or of one sub-folder per class, each with images at any depth; or
            of sub-folders `train` and optionally `val` and `test` in one of these forms (also
            `training`, `valid`, `validation`, `dev` and `testing`, in any case). Other folders
            beside two such splits are left out and named; beside one they are refused.
        image_size: Height and width wanted; without it all images must have one size.
        channels: 1 for grey, 3 for RGB; without it 1 if every file is grey, otherwise 3.
        bits: Bits per channel that the files use: levels below 2^bits are kept exactly. Without
            it files of 8 bits are kept, and files of 16 are rounded to 8 if they use all 16.
        categorical: Whether levels have no order, like the ids of a mask: images are scaled to the
            nearest pixel, and the indices of a palette are the levels.
        pages: What the pages of files with several are: "images", "channels" of one image; or
            "first", to read no other. Without it such files are refused.
        stream_above_bytes: Above this size decoded, images stay in their files and are decoded
            batch by batch.
        skip_broken_files: Whether files that cannot be decoded are skipped, counted and named. To
            find them, each file is decoded once; the result is cached with its header.
        label_depth: Nested folders whose names make the class: 1 for the outermost, 2 for classes
            such as `cat/small`. 0: there are no classes, and images may lie at any depth.
            None: 1, or 0 with `labels`.
        labels: CSV file of the labels, see `label_table`; the folders name no classes then.

    Raises:
        ConfigError: If an option is out of range.
        DataError: If there is no image, a file is broken, or the sizes differ.
    """
    options = ImageFileOptions(image_size, channels, bits, categorical, pages, stream_above_bytes)
    if labels is not None and label_depth:
        raise ConfigError(
            f"`label_depth` must be left out with `labels`, got {label_depth} and {labels}."
        )
    depth = 1 if label_depth is None and labels is None else label_depth or 0
    whole_number("label_depth", depth, at_least=0)
    folders, notes = split_folders(path)
    listings = {split: list_images(folder, label_depth=depth) for split, folder in folders.items()}
    if labels is None:
        known = _labels(listings, str(path))
    else:
        known = labels_from_table(Path(labels).expanduser(), folders, listings, str(path))
    splits = {
        split: SplitHeaders(
            listing.paths,
            *folder_headers(listing, skip_broken=skip_broken_files),
        )
        for split, listing in listings.items()
    }
    return source_of_images(
        f"folder:{path.resolve().name}",
        splits,
        options,
        known,
        where=str(path),
        notes=notes,
    )


def _labels(listings: Mapping[str, Listing], where: str) -> KnownLabels:
    """The classes of the images by number; those that the training images lack are unknown."""
    names = sorted({name for name, _ in listings["train"].classes})
    if not names:
        return KnownLabels(dict.fromkeys(listings), None, ())
    labels, foreign = {}, {}
    for split, listing in listings.items():
        classes = listing.classes or (("", len(listing.paths)),)
        counts = torch.tensor([count for _, count in classes])
        labels[split] = numbered([name for name, _ in classes], names).repeat_interleave(counts)
        foreign[split] = sorted({name for name, _ in listing.classes} - set(names))
    return known_labels(labels, names, where, foreign=foreign)
