"""Images before they are decoded: their headers, which are broken, and their common spec."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pixelcnn.data.data_warnings import first_names, warn_about_data
from pixelcnn.data.files.decoding import DecodingOptions, read_image_header, read_pixels
from pixelcnn.data.files.image_header import Header
from pixelcnn.errors import DataError
from pixelcnn.spec import ImageSpec

CHUNK = 64  # images that a thread reads at once
THREADS = 8  # most of them wait for a disk or a network

Found = Header | DataError


class EncodedImages(Protocol):
    """Encoded images: files, or the contents of files."""

    def __len__(self) -> int:
        """Number of images N."""

    def content(self, index: int) -> Path | bytes:
        """One file, or its content."""

    def origin(self, index: int) -> str:
        """Its name in messages."""


@dataclass(frozen=True)
class Headers:
    """The headers of N images, as far as they are known.

    Attributes:
        sizes: Height and width of each. Shape: (N, 2).
        grey: Whether it is grey. Shape: (N,).
        wide: Whether a channel has more than 8 bits. Shape: (N,).
        pages: Number of pages of its file. Shape: (N,).
        whole: Whether it has been decoded without an error. Shape: (N,).
        known: Whether its header was read; the other values mean nothing where not. (N,).
    """

    sizes: NDArray[np.int32]
    grey: NDArray[np.bool_]
    wide: NDArray[np.bool_]
    pages: NDArray[np.int32]
    whole: NDArray[np.bool_]
    known: NDArray[np.bool_]

    @classmethod
    def empty(cls, count: int) -> "Headers":
        """Headers of which none is known."""
        sizes, pages = np.zeros((count, 2), dtype=np.int32), np.zeros(count, dtype=np.int32)
        grey, wide, whole, known = np.zeros((4, count), dtype=np.bool_)
        return cls(sizes, grey, wide, pages, whole, known)

    @property
    def num_known(self) -> int:
        """The number of headers that were read plus that of images that were decoded."""
        return int(self.known.sum() + self.whole.sum())


@dataclass(frozen=True)
class SplitHeaders:
    """The images of one split with their headers.

    Attributes:
        images: N images.
        headers: Of each image.
        errors: Of the broken images, by number.
        numbers: Of the readable images. Shape: (M,).
    """

    images: EncodedImages
    headers: Headers
    errors: Mapping[int, DataError] = field(default_factory=dict)

    @property
    def numbers(self) -> Tensor:
        readable = np.ones(len(self.images), dtype=np.bool_)
        readable[list(self.errors)] = False
        return torch.from_numpy(np.flatnonzero(readable))


def fill_headers(
    images: EncodedImages, headers: Headers, *, skip_broken: bool
) -> dict[int, DataError]:
    """Reads the headers that are not known yet, into `headers`.

    Args:
        images: N images.
        headers: Their headers, changed in place.
        skip_broken: Whether to skip broken images. Every image is then decoded once, since
            most damage shows only there, so that the set of images is fixed before training.

    Returns:
        The error of each broken image, by its number.

    Raises:
        DataError: If a header cannot be read and `skip_broken` is off; the message names the image.
    """
    errors: dict[int, DataError] = {}
    wanted = headers.whole if skip_broken else headers.known
    for number, found in _found(images, np.flatnonzero(~wanted), decodes=skip_broken):
        if not isinstance(found, DataError):
            headers.sizes[number] = found.height, found.width
            headers.grey[number], headers.wide[number] = found.grey, found.is_wide
            headers.pages[number], headers.known[number] = found.pages, True
            headers.whole[number] = skip_broken
        elif skip_broken:
            errors[number] = found
        else:
            raise found
    return errors


def common_spec(
    splits: Mapping[str, SplitHeaders],
    image_size: tuple[int, int] | None,
    channels: int | None,
    levels: int,
) -> ImageSpec:
    """The spec of all images: one size unless they will be resized, grey or RGB.

    Raises:
        DataError: If no image of a split can be read, or the sizes differ without `image_size`.
    """
    first, grey = None, True
    for part in splits.values():
        numbers = part.numbers.numpy()
        if not len(numbers):
            raise DataError(
                f"Not one of the images can be read ({len(part.images):,}). The first: "
                f"{part.errors[0]}"
            )
        first = first or (part.images.origin(numbers[0]), part.headers.sizes[numbers[0]])
        others = numbers[(part.headers.sizes[numbers] != first[1]).any(1)]
        if image_size is None and len(others):
            height, width = part.headers.sizes[others[0]]
            raise DataError(
                f"All images must have one size without `image_size`: {first[0]} has "
                f"{first[1][0]}×{first[1][1]}, {part.images.origin(others[0])} has "
                f"{height}×{width} (height × width). Set `image_size`."
            )
        grey &= bool(part.headers.grey[numbers].all())
    assert first is not None
    height, width = image_size or map(int, first[1])
    return ImageSpec(channels or (1 if grey else 3), height, width, levels)


def broken_notes(where: str, splits: Mapping[str, SplitHeaders]) -> tuple[str, ...]:
    """Notes for the protocol on skipped images; also warns of them by name."""
    broken = {
        part.images.origin(number): error
        for part in splits.values()
        for number, error in part.errors.items()
    }
    if not broken:
        return ()
    count = f"{len(broken):,} broken {'file' if len(broken) == 1 else 'files'} left out"
    warn_about_data(
        f"{count} of {where}: {first_names(list(broken))}. {next(iter(broken.values()))}"
    )
    return (count,)


def _found(
    images: EncodedImages, numbers: NDArray[np.int64], *, decodes: bool
) -> Iterator[tuple[int, Found]]:
    """Yields the headers of some images, or their errors, in order."""
    chunks = np.split(numbers, range(CHUNK, len(numbers), CHUNK))
    read = partial(_read_chunk, images, decodes=decodes)
    with ThreadPoolExecutor(THREADS) as pool:
        # A round at a time, so that an error ends the work and few results fill the memory.
        for start in range(0, len(chunks), 8 * THREADS):
            part = chunks[start : start + 8 * THREADS]
            for chunk, found in zip(part, pool.map(read, part), strict=True):
                yield from zip(chunk.tolist(), found, strict=True)


def _read_chunk(images: EncodedImages, numbers: Iterable[int], *, decodes: bool) -> list[Found]:
    found: list[Found] = []
    for number in numbers:
        try:
            content, name = images.content(number), images.origin(number)
            if decodes:
                read_pixels(content, DecodingOptions(channels=3), name=name)
            header = read_image_header(content, name)
            for page in range(1, header.pages if decodes else 1):
                read_pixels(content, DecodingOptions(channels=3), page=page, name=name)
            found.append(header)
        except DataError as error:
            found.append(error)
    return found
