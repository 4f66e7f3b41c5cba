"""What a data set is once read: splits of images that are indexed, not iterated by hand."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from pixelcnn.data.conditions import Conditions
from pixelcnn.errors import DataError
from pixelcnn.spec import ImageSpec, check_levels

# Levels (B, C, H, W) to levels (B, C, H', W'); picklable, since workers may be spawned.
Transform = Callable[[Tensor], Tensor]

CHUNK = 1024  # images transformed at once, so that floats never fill the memory


def narrow(x: Tensor, levels: int) -> Tensor:
    """Stores levels in the smallest type that PyTorch indexes everywhere.

    Example:
        >>> narrow(torch.tensor([0, 255]), 256).dtype, narrow(torch.tensor([0, 256]), 257).dtype
        (torch.uint8, torch.int32)
    """
    return x.to(torch.uint8 if levels <= 256 else torch.int32)


class Reader(Protocol):
    """Reads the stored images of one set, in one order after another."""

    def __call__(self, order: Sequence[Tensor]) -> Iterator[Tensor]:
        """Yields the images of each index tensor (B,) in turn. Shape: (B, C, H, W)."""

    def close(self) -> None:
        """Ends what waits for the next order. Reading again is allowed."""


class ImageSet(ABC):
    """The images of one split, and what is known of each.

    Attributes:
        spec: Shape and levels of the images that `batches` yields.
        conditions: Labels, attributes and maps of the images, as far as there are any.
        stored_levels: Levels of what is stored. It differs from `spec.levels` only where
            `batches` draws a new binary image from the stored grey one in every epoch.
    """

    def __init__(
        self, spec: ImageSpec, conditions: Conditions, *, stored_levels: int | None = None
    ) -> None:
        self.spec = spec
        self.conditions = conditions
        self.stored_levels = spec.levels if stored_levels is None else stored_levels

    @property
    def labels(self) -> Tensor | None:
        """Class numbers. Shape: (N,), int64; or None."""
        return self.conditions.labels

    @property
    def is_dynamic(self) -> bool:
        """Whether every epoch draws binary images anew (dynamic binarization)."""
        return self.stored_levels != self.spec.levels

    def dynamically_binarized(self) -> "ImageSet":
        """The same store, of which `batches` draws binary images anew in every epoch."""
        return self._copy(replace(self.spec, levels=2), stored_levels=self.stored_levels)

    def with_labels(self, labels: Tensor | None) -> "ImageSet":
        """The same images with other labels, (N,); None for none."""
        other = copy.copy(self)
        other.conditions = self.conditions._replace(labels=labels)
        return other

    @abstractmethod
    def __len__(self) -> int:
        """Number of images N."""

    @abstractmethod
    def take(self, indices: Tensor) -> "ImageSet":
        """The images with these numbers, in this order. `indices`: (M,), int64."""

    @abstractmethod
    def apply(self, transform: Transform, spec: ImageSpec) -> "ImageSet":
        """Images that `transform` turned into images as `spec` says."""

    def read(self, order: Sequence[Tensor]) -> Iterator[Tensor]:
        """Yields the stored images of each index tensor (B,) in turn. Shape: (B, C, H, W)."""
        return self.reader()(order)

    @abstractmethod
    def reader(self, num_workers: int = 0) -> "Reader":
        """Reads again and again as `read` does; `num_workers` processes decode, if any need it."""

    @abstractmethod
    def to(self, device: torch.device | str) -> "ImageSet":
        """The set with what it holds in memory moved to a device."""

    @abstractmethod
    def _copy(self, spec: ImageSpec, *, stored_levels: int) -> "ImageSet": ...


class TensorImageSet(ImageSet):
    """Images held as one tensor, batched by indexing.

    Args:
        images: Stored levels. Shape: (N, C, H, W), integers.
        labels: Class numbers. Shape: (N,); or None.
        attributes: Numbers that describe each image. Shape: (N, A); or None.
        maps: Planes as large as the images. Shape: (N, A, H, W); or None.
        levels: Number of levels K of `images`.
        spec: What `batches` yields, where that is not what is stored.

    Raises:
        DataError: If there is no image, or a condition does not fit the images.
        ShapeError: If a value is outside [0, K) or not an integer.

    Example:
        >>> images = TensorImageSet(torch.zeros(5, 1, 8, 8, dtype=torch.uint8), levels=2)
        >>> len(images), images.spec.shape
        (5, (1, 8, 8))
    """

    def __init__(
        self,
        images: Tensor,
        labels: Tensor | None = None,
        *,
        attributes: Tensor | None = None,
        maps: Tensor | None = None,
        levels: int,
        spec: ImageSpec | None = None,
    ) -> None:
        if images.ndim != 4 or not images.numel():
            raise DataError(
                f"Images must have shape (N, C, H, W) with at least one pixel, got "
                f"{tuple(images.shape)}."
            )
        # The extremes stand for all, widened: a uint8 tensor compared with 256 wraps around.
        extremes = torch.stack(images.aminmax())
        check_levels(extremes.to(torch.promote_types(images.dtype, torch.int64)), levels)
        channels, height, width = images.shape[1:]
        super().__init__(
            spec or ImageSpec(channels, height, width, levels),
            Conditions(labels, attributes, maps).checked(len(images), (height, width)),
            stored_levels=levels,
        )
        self.images = narrow(images, levels)

    def __len__(self) -> int:
        return len(self.images)

    def take(self, indices: Tensor) -> "TensorImageSet":
        conditions = self.conditions.take(indices)
        return self._with(self.images[indices], conditions, self.spec, self.stored_levels)

    def apply(self, transform: Transform, spec: ImageSpec) -> "TensorImageSet":
        parts = [narrow(transform(part), spec.levels) for part in self.images.split(CHUNK)]
        conditions = self.conditions.resized((spec.height, spec.width))
        return self._with(torch.cat(parts), conditions, spec, spec.levels)

    def reader(self, num_workers: int = 0) -> "MemoryReader":
        # No workers here: an index into memory is cheaper than a trip between processes.
        return MemoryReader(self.images)

    def to(self, device: torch.device | str) -> "TensorImageSet":
        conditions = self.conditions.to(device)
        return self._with(self.images.to(device), conditions, self.spec, self.stored_levels)

    def _copy(self, spec: ImageSpec, *, stored_levels: int) -> "TensorImageSet":
        return self._with(self.images, self.conditions, spec, stored_levels)

    @staticmethod
    def _with(
        images: Tensor, conditions: Conditions, spec: ImageSpec, stored_levels: int
    ) -> "TensorImageSet":
        return TensorImageSet(images, **conditions._asdict(), levels=stored_levels, spec=spec)


@dataclass(frozen=True)
class MemoryReader:
    """Reads images that are held: `Reader` by indexing."""

    images: Tensor

    def __call__(self, order: Sequence[Tensor]) -> Iterator[Tensor]:
        return (self.images[indices.to(self.images.device)] for indices in order)

    def close(self) -> None:
        """Nothing waits."""


@dataclass(frozen=True)
class Source:
    """What a reader found, before it is split, resized and quantised.

    Attributes:
        name: How the protocol calls it.
        train: Training images, the validation part still among them if `val` is None.
        val: The set's own validation images, if it has them.
        test: The set's own test images, if it has them.
        label_names: One name per class; None for a set without labels.
        notes: What a reported figure must say about this set.
        attribute_names: One name per attribute; None for a set without attributes.
        resized: Whether the reader has brought the images to the size asked for.
    """

    name: str
    train: ImageSet
    val: ImageSet | None = None
    test: ImageSet | None = None
    label_names: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    attribute_names: tuple[str, ...] | None = None
    resized: bool = False


@dataclass(frozen=True)
class DataSplits:
    """A data set ready for training.

    Attributes:
        train: What the model learns from.
        val: What chooses the best epoch; never part of the test set.
        test: What is reported, and looked at once.
        spec: Shape and levels of every image.
        label_names: One name per class; None for a set without labels.
        protocol: What a reported figure must carry: the set, its levels, the size of the splits.
        attribute_names: One name per attribute; None for a set without attributes.
    """

    train: ImageSet
    val: ImageSet
    test: ImageSet
    spec: ImageSpec
    label_names: tuple[str, ...] | None
    protocol: str
    attribute_names: tuple[str, ...] | None = None

    @property
    def num_labels(self) -> int | None:
        """Number of classes; None for a set without labels."""
        return None if self.label_names is None else len(self.label_names)

    def names_of(self, kind: str | None) -> tuple[str, ...] | None:
        """Names of what a condition of this kind counts: classes or attributes; else None."""
        return {"labels": self.label_names, "attributes": self.attribute_names}.get(str(kind))
