"""Files of several pages: TIFF stacks and animations."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from pixelcnn.data.files.headers import SplitHeaders
from pixelcnn.errors import DataError

Paging: TypeAlias = Literal["images", "channels", "first"]
"""Whether each page is an image, the pages are the channels of one, or only the first is read."""


def check_pages(splits: Mapping[str, SplitHeaders], paging: Paging | None) -> int:
    """The number of pages of the files, if they are channels; else 1.

    Raises:
        DataError: If files have several pages and nothing says what they are; or if pages are
            channels and files differ in their number, or have colours.
    """
    counts: dict[int, str] = {}  # the first file of each number of pages
    for part in splits.values():
        numbers = part.numbers.numpy()
        for number, pages in zip(numbers, part.headers.pages[numbers].tolist(), strict=True):
            counts.setdefault(pages, part.images.origin(number))
    most = max(counts, default=1)
    if paging is None and most > 1:
        raise DataError(
            f"{counts[most]} holds {most:,} pages. Say by `data.pages` what they are: 'images' "
            f"(each page is an image), 'channels' (of one image) or 'first' (the others are not "
            f"read)."
        )
    if paging != "channels":
        return 1
    if len(counts) > 1:
        first, other = list(counts)[:2]
        raise DataError(
            f"All files must have as many pages with `data.pages` 'channels': {counts[first]} has "
            f"{first}, {counts[other]} has {other}."
        )
    if not all(part.headers.grey[part.numbers.numpy()].all() for part in splits.values()):
        raise DataError("Pages must be grey with `data.pages` 'channels', and some have colours.")
    return most


def images_of(part: SplitHeaders, paging: Paging | None) -> tuple[Tensor, Tensor]:
    """The numbers of the files and of their pages that are the images of a split. Each (M,)."""
    numbers = part.numbers
    if paging != "images":
        return numbers, torch.zeros_like(numbers)
    counts = torch.from_numpy(part.headers.pages[numbers.numpy()]).long()
    pages = [torch.arange(count) for count in counts.tolist()]
    return numbers.repeat_interleave(counts), torch.cat(pages)


def paging_notes(splits: Mapping[str, SplitHeaders], paging: Paging | None) -> tuple[str, ...]:
    """What was done with the pages, for the protocol."""
    total = sum(int(part.headers.pages[part.numbers.numpy()].sum()) for part in splits.values())
    files = sum(len(part.numbers) for part in splits.values())
    if paging is None or total == files:
        return ()
    if paging == "first":
        return (f"only the first of {total:,} pages in {files:,} files",)
    what = "an image each" if paging == "images" else "as channels"
    apart = ", held out page by page" if paging == "images" and len(splits) < 3 else ""
    return (f"{total:,} pages of {files:,} files, {what}{apart}",)
