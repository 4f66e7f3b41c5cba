"""Image sets: indexed images with their conditions, and the splits of a data set."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch import Tensor
from typing_extensions import Self

from pixelcnn.data.conditions import Conditions
from pixelcnn.errors import DataError
from pixelcnn.spec import ImageSpec, check_levels

# Levels (B, C, H, W) to levels (B, C, H', W'); picklable, as workers may be spawned.
Transform = Callable[[Tensor], Tensor]

CHUNK = 1024  # images transformed at once, to bound the memory of floats


def narrow(x: Tensor, levels: int) -> Tensor:
    """Converts levels to the smallest type that PyTorch can index on every device.

    Example:
        >>> narrow(torch.tensor([0, 255]), 256).dtype, narrow(torch.tensor([0, 256]), 257).dtype
        (torch.uint8, torch.int32)
    """
    return x.to(torch.uint8 if levels <= 256 else torch.int32)


class Reader(Protocol):
    """Reads the stored images of one set, in a new order for each epoch."""

    def __call__(self, order: Sequence[Tensor]) -> Iterator[Tensor]:
        """Yields the images of each index tensor (B,) in turn. Shape: (B, C, H, W)."""

    def close(self) -> None:
        """Ends waiting workers. Reading again starts new ones."""


class ImageSet(ABC):
    """The images of one split with their conditions.

    Attributes:
        spec: Shape and levels of the images that `batches` yields.
        conditions: Labels, attributes and maps of the images; None for those that do not exist.
        stored_levels: Number of levels of the stored images. It differs from `spec.levels` only
            with dynamic binarization.
    """

    def __init__(self, spec: ImageSpec, conditions: Conditions) -> None:
        self.spec = spec
        self.conditions = conditions
        self.stored_levels = spec.levels

    @property
    def labels(self) -> Tensor | None:
        """Class numbers. Shape: (N,), int64; or None."""
        return self.conditions.labels

    @property
    def is_dynamic(self) -> bool:
        """Whether every epoch samples new binary images (dynamic binarization)."""
        return self.stored_levels != self.spec.levels

    def dynamically_binarized(self) -> Self:
        """The same images, of which `batches` samples new binary images in every epoch."""
        return self._changed(spec=replace(self.spec, levels=2))

    def with_labels(self, labels: Tensor | None) -> Self:
        """The same images with other labels, (N,), or without labels."""
        return self._changed(conditions=self.conditions._replace(labels=labels))

    @abstractmethod
    def __len__(self) -> int:
        """Number of images N."""

    @abstractmethod
    def take(self, indices: Tensor) -> "ImageSet":
        """The images with these numbers, in this order. `indices`: (M,), int64."""

    @abstractmethod
    def apply(self, transform: Transform, spec: ImageSpec) -> "ImageSet":
        """The images after `transform`, whose results have this spec."""

    def read(self, order: Sequence[Tensor]) -> Iterator[Tensor]:
        """Yields the stored images of each index tensor (B,) in turn. Shape: (B, C, H, W)."""
        return self.reader()(order)

    @abstractmethod
    def reader(self, num_workers: int = 0) -> "Reader":
        """A reader for many epochs; `num_workers` processes decode images that need it."""

    @abstractmethod
    def to(self, device: torch.device | str) -> "ImageSet":
        """The set with its tensors on a device."""

    def _changed(self, **attributes: Any) -> Self:
        """A copy with other attributes."""
        other = copy.copy(self)
        vars(other).update(attributes)
        return other


class TensorImageSet(ImageSet):
    """Images in one tensor, batched by indexing.

    Args:
        images: Stored levels. Shape: (N, C, H, W), integers.
        labels: Class numbers. Shape: (N,); or None.
        attributes: Numbers that describe each image. Shape: (N, A); or None.
        maps: Planes as large as the images. Shape: (N, A, H, W); or None.
        levels: Number of levels K of `images`.

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
    ) -> None:
        if images.ndim != 4 or not images.numel():
            raise DataError(
                f"Images must have shape (N, C, H, W) with at least one pixel, got "
                f"{tuple(images.shape)}."
            )
        # The extremes suffice, in a wider type: a uint8 tensor compared with 256 wraps around.
        extremes = torch.stack(images.aminmax())
        check_levels(extremes.to(torch.promote_types(images.dtype, torch.int64)), levels)
        channels, height, width = images.shape[1:]
        super().__init__(
            ImageSpec(channels, height, width, levels),
            Conditions(labels, attributes, maps).checked(len(images), (height, width)),
        )
        self.images = narrow(images, levels)

    def __len__(self) -> int:
        return len(self.images)

    def take(self, indices: Tensor) -> "TensorImageSet":
        conditions = self.conditions.take(indices)
        return self._changed(images=self.images[indices], conditions=conditions)

    def apply(self, transform: Transform, spec: ImageSpec) -> "TensorImageSet":
        parts = [narrow(transform(part), spec.levels) for part in self.images.split(CHUNK)]
        return self._changed(
            images=torch.cat(parts),
            conditions=self.conditions.resized((spec.height, spec.width)),
            spec=spec,
            stored_levels=spec.levels,
        )

    def reader(self, num_workers: int = 0) -> "MemoryReader":
        # No workers: indexing is cheaper than communication between processes.
        return MemoryReader(self.images)

    def to(self, device: torch.device | str) -> "TensorImageSet":
        return self._changed(images=self.images.to(device), conditions=self.conditions.to(device))


@dataclass(frozen=True)
class MemoryReader:
    """A `Reader` of images in memory, by indexing."""

    images: Tensor

    def __call__(self, order: Sequence[Tensor]) -> Iterator[Tensor]:
        return (self.images[indices.to(self.images.device)] for indices in order)

    def close(self) -> None:
        """Does nothing: there are no workers."""


@dataclass(frozen=True)
class Source:
    """A data set as read, before it is split, resized and quantised.

    Attributes:
        name: In the protocol.
        train: Training images, including those to hold out if `val` or `test` is None.
        val: The set's own validation images, if it has them.
        test: The set's own test images, if it has them.
        label_names: One name per class; None for a set without labels.
        notes: For the protocol of reported metrics.
        attribute_names: One name per attribute; None for a set without attributes.
        resized: Whether the reader has resized the images to `image_size`.
        categorical: Whether levels have no order, like ids and codes.
    """

    name: str
    train: ImageSet
    val: ImageSet | None = None
    test: ImageSet | None = None
    label_names: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    attribute_names: tuple[str, ...] | None = None
    resized: bool = False
    categorical: bool = False


@dataclass(frozen=True)
class DataSplits:
    """A data set ready for training.

    Attributes:
        train: Training images.
        val: Validation images, which choose the best epoch; never from the test set.
        test: Test images, for reported metrics.
        spec: Shape and levels of every image.
        label_names: One name per class; None for a set without labels.
        protocol: To report metrics with: the set, its levels, the sizes of the splits.
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
        """Names of the classes or attributes, for a condition of this kind; else None."""
        return {"labels": self.label_names, "attributes": self.attribute_names}.get(str(kind))
