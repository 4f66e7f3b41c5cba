"""What folders and tables of image files have in common: from their headers to image sets."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import get_args

import torch
from torch import Tensor

from pixelcnn.arguments import check_choice
from pixelcnn.data.files.decoding import DecodingOptions, decode, read_pixels
from pixelcnn.data.files.depth import check_bits, check_in_use
from pixelcnn.data.files.headers import EncodedImages, SplitHeaders, broken_notes, common_spec
from pixelcnn.data.files.pages import Paging, check_pages, images_of, paging_notes
from pixelcnn.data.image_sets import ImageSet, Source, TensorImageSet, narrow
from pixelcnn.data.sources.labels import KnownLabels
from pixelcnn.data.streaming import FileImageSet
from pixelcnn.errors import ConfigError, DataError
from pixelcnn.spec import MAX_LEVELS, ImageSpec

STREAM_ABOVE_BYTES = 2 * 2**30
CHUNK = 1024  # images that wait at once for a thread to decode them
NUM_TRIED = 64  # images that show how many levels are in use


@dataclass(frozen=True)
class ImageFileOptions:
    """The options that all sets of image files have, see `pixelcnn.data.sources.folders.folder`."""

    image_size: tuple[int, int] | None = None
    channels: int | None = None
    bits: int | None = None
    categorical: bool = False
    pages: Paging | None = None
    stream_above_bytes: int = STREAM_ABOVE_BYTES

    def __post_init__(self) -> None:
        check_bits(self.bits)
        if self.pages is not None:
            check_choice("pages", self.pages, get_args(Paging))
        if self.channels not in (None, 1, 3) and self.pages != "channels":
            raise ConfigError(f"`channels` of image files must be 1 or 3, got {self.channels}.")


@dataclass(frozen=True)
class EncodedStore:
    """Some of the encoded images, decoded one by one: a `Store`.

    Attributes:
        images: Encoded images.
        numbers: Which of them. Shape: (N,).
        pages: Which page of each. Shape: (N,).
        form: How they become levels; of each page, if the pages are channels.
        spec: Shape and levels of the decoded images.
    """

    images: EncodedImages
    numbers: Tensor
    pages: Tensor
    form: DecodingOptions
    spec: ImageSpec

    def __len__(self) -> int:
        return len(self.numbers)

    def decode(self, index: int) -> Tensor:
        """The levels of one image. Shape: (C, H, W)."""
        number, page = int(self.numbers[index]), int(self.pages[index])
        content, name = self.images.content(number), self._name(number, page)
        pages = range(page, page + self.spec.channels // self.form.channels)
        parts = [decode(content, self.form, page=each, name=name) for each in pages]
        shapes = {tuple(part.shape[1:]) for part in parts}
        if shapes != {self.spec.shape[1:]}:
            height, width = min(shapes - {self.spec.shape[1:]})
            raise DataError(
                f"{name} must have {self.spec.height}×{self.spec.width} pixels like the other "
                f"images, got {height}×{width} (height × width). Set `image_size`."
            )
        return narrow(torch.cat(parts), self.spec.levels)

    def take(self, indices: Tensor) -> "EncodedStore":
        """The images with these numbers, in this order."""
        return replace(self, numbers=self.numbers[indices], pages=self.pages[indices])

    def highest(self, index: int) -> int:
        """The highest level that the file of an image holds, whatever its type."""
        number, page = int(self.numbers[index]), int(self.pages[index])
        content, name = self.images.content(number), self._name(number, page)
        return int(read_pixels(content, self.form, page=page, name=name).x.max())

    def _name(self, number: int, page: int) -> str:
        return self.images.origin(number) + (f", page {page}" if page else "")


def source_of_images(
    name: str,
    splits: Mapping[str, SplitHeaders],
    options: ImageFileOptions,
    labels: KnownLabels,
    *,
    where: str,
    notes: tuple[str, ...] = (),
) -> Source:
    """Makes the source of image files whose headers are known.

    Args:
        name: The name of the set in the protocol.
        splits: The images of "train", and of "val" and "test" if there are any.
        options: How they are read.
        labels: Of all files of each split.
        where: The name of the set in messages.
        notes: For the protocol. Notes on labels, pages, depth and broken files are added.

    Raises:
        DataError: If the sizes differ without `image_size`, an image is broken, or the files do
            not say what their pages or levels are.
    """
    num_stacked = check_pages(splits, options.pages)
    form = DecodingOptions(1, options.bits, options.image_size, options.categorical)
    channels = 1 if options.categorical or num_stacked > 1 else options.channels
    spec = common_spec(splits, options.image_size, channels, form.levels)
    if num_stacked > 1:
        spec = replace(spec, channels=num_stacked)
    else:
        form = replace(form, channels=spec.channels)
    stores = {
        split: EncodedStore(each.images, *images_of(each, options.pages), form, spec)
        for split, each in splits.items()
    }
    depth = _depth_notes(stores["train"], splits["train"], options, where)
    is_streamed = sum(map(len, stores.values())) * spec.num_dims > options.stream_above_bytes
    make = _stream if is_streamed else _hold
    sets = {}
    for split, store in stores.items():
        classes = labels.of[split]
        sets[split] = make(store, None if classes is None else classes[store.numbers])
    train = sets["train"]
    if isinstance(train, TensorImageSet) and options.bits is None and not options.categorical:
        depth += check_in_use(int(train.images.max()), train.spec.levels, where)
    paging = paging_notes(splits, options.pages)
    return Source(
        name,
        sets["train"],
        sets.get("val"),
        sets.get("test"),
        label_names=labels.names,
        notes=(*notes, *labels.notes, *paging, *depth, *broken_notes(where, splits)),
        resized=options.image_size is not None,
        categorical=options.categorical,
    )


def _depth_notes(
    store: EncodedStore, part: SplitHeaders, options: ImageFileOptions, where: str
) -> tuple[str, ...]:
    """Checks that files of more than 8 bits use them; notes that they are rounded.

    Raises:
        DataError: If they do not, and `bits` is not stated.
    """
    wide = torch.from_numpy(part.headers.wide)[store.numbers]
    if options.bits is not None:
        if options.bits > 8 and not wide.all():
            narrow_one = int(store.numbers[int((~wide).nonzero()[0])])
            raise DataError(
                f"{store.images.origin(narrow_one)} has 8 bits per channel, and `data.bits` is "
                f"{options.bits}. Leave it out, or take such files away."
            )
        return ()
    if not wide.any():
        return ()
    numbers = wide.nonzero().flatten()
    tried = numbers[:: max(len(numbers) // NUM_TRIED, 1)][:NUM_TRIED]
    with ThreadPoolExecutor() as pool:
        check_in_use(max(pool.map(store.highest, tried.tolist())), MAX_LEVELS, where)
    return ("16 bits rounded to 8",)


def _stream(store: EncodedStore, labels: Tensor | None) -> ImageSet:
    return FileImageSet(store, labels, spec=store.spec)


def _hold(store: EncodedStore, labels: Tensor | None) -> ImageSet:
    images = narrow(torch.empty(len(store), *store.spec.shape), store.spec.levels)
    with ThreadPoolExecutor() as pool:
        # A chunk at a time, so that an error ends the work and few futures fill the memory.
        for numbers in torch.arange(len(store)).split(CHUNK):
            decoded = pool.map(store.decode, numbers.tolist())
            for number, image in zip(numbers.tolist(), decoded, strict=True):
                images[number] = image
    return TensorImageSet(images, labels, levels=store.spec.levels)
