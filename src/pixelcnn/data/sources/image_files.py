"""What folders and tables of image files have in common: from their headers to image sets."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pixelcnn.data.files.decoding import decode
from pixelcnn.data.files.headers import EncodedImages, SplitHeaders, broken_notes, common_spec
from pixelcnn.data.image_sets import ImageSet, Source, TensorImageSet
from pixelcnn.data.streaming import FileImageSet, Store
from pixelcnn.errors import ConfigError
from pixelcnn.spec import ImageSpec

STREAM_ABOVE_BYTES = 2 * 2**30
CHUNK = 1024  # images that wait at once for a thread to decode them


@dataclass(frozen=True)
class EncodedStore:
    """Some of the encoded images, decoded one by one: a `Store`.

    Attributes:
        images: Encoded images.
        numbers: Which of them. Shape: (N,).
        channels: 1 for grey, 3 for RGB.
        size: Height and width of the decoded images.
    """

    images: EncodedImages
    numbers: Tensor
    channels: int
    size: tuple[int, int]

    def __len__(self) -> int:
        return len(self.numbers)

    def decode(self, index: int) -> Tensor:
        """The levels of one image. Shape: (C, H, W), uint8."""
        number = int(self.numbers[index])
        content, name = self.images.content(number), self.images.origin(number)
        return decode(content, channels=self.channels, size=self.size, name=name)

    def take(self, indices: Tensor) -> "EncodedStore":
        """The images with these numbers, in this order."""
        return replace(self, numbers=self.numbers[indices])


def source_of_images(
    name: str,
    splits: Mapping[str, SplitHeaders],
    *,
    where: str,
    label_names: tuple[str, ...] | None,
    notes: tuple[str, ...] = (),
    image_size: tuple[int, int] | None,
    channels: int | None,
    stream_above_bytes: int,
) -> Source:
    """Makes the source of image files whose headers are known.

    Args:
        name: The name of the set in the protocol.
        splits: The images of "train", and of "val" and "test" if there are any.
        where: The name of the set in messages.
        label_names: One name per class; None without labels.
        notes: For the protocol. A note on broken files is added.
        image_size: Height and width wanted; None if all images have one size.
        channels: 1 for grey, 3 for RGB; None for 1 if every image is grey, otherwise 3.
        stream_above_bytes: Above this size decoded, images stay encoded and are decoded batch by
            batch.

    Raises:
        DataError: If the sizes differ without `image_size`, or an image is broken.
    """
    spec = common_spec(splits, image_size=image_size, channels=channels)
    stores = {
        split: EncodedStore(each.images, each.numbers, spec.channels, (spec.height, spec.width))
        for split, each in splits.items()
    }
    is_streamed = sum(map(len, stores.values())) * spec.num_dims > stream_above_bytes
    make = _stream if is_streamed else _hold
    sets = {split: make(store, splits[split].labels, spec) for split, store in stores.items()}
    return Source(
        name,
        sets["train"],
        sets.get("val"),
        sets.get("test"),
        label_names=label_names,
        notes=(*notes, *broken_notes(where, splits)),
        resized=image_size is not None,
    )


def check_channels(channels: int | None) -> None:
    """Raises `ConfigError` unless image files can be decoded to so many channels."""
    if channels not in (None, 1, 3):
        raise ConfigError(f"`channels` of image files must be 1 or 3, got {channels}.")


def _stream(store: Store, labels: Tensor | None, spec: ImageSpec) -> ImageSet:
    return FileImageSet(store, labels, spec=spec)


def _hold(store: Store, labels: Tensor | None, spec: ImageSpec) -> ImageSet:
    images = torch.empty(len(store), *spec.shape, dtype=torch.uint8)
    with ThreadPoolExecutor() as pool:
        # A chunk at a time, so that an error ends the work and few futures fill the memory.
        for numbers in torch.arange(len(store)).split(CHUNK):
            decoded = pool.map(store.decode, numbers.tolist())
            for number, image in zip(numbers.tolist(), decoded, strict=True):
                images[number] = image
    return TensorImageSet(images, labels, levels=spec.levels)
