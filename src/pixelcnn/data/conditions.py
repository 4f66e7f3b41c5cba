"""Labels, attributes and maps of images: what a model can be conditioned on."""

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from pixelcnn.data.transforms import cover, flip
from pixelcnn.errors import DataError


class Conditions(NamedTuple):
    """The conditions of N images, of every kind that the data have. A model takes one kind.

    Attributes:
        labels: Class numbers. Shape: (N,), int64; or None.
        attributes: Binary or real numbers. Shape: (N, A), float32; or None.
        maps: One plane per channel, as large as the images. Shape: (N, A, H, W), float32; or None.

    Example:
        >>> known = Conditions(torch.tensor([3, 1]), attributes=torch.tensor([[0.0], [1.0]]))
        >>> known.kinds, known.take(torch.tensor([1])).of("attributes")
        (['labels', 'attributes'], tensor([[1.]]))
    """

    labels: Tensor | None = None
    attributes: Tensor | None = None
    maps: Tensor | None = None

    @property
    def kinds(self) -> list[str]:
        """The available kinds: "labels", "attributes", "maps"."""
        return [kind for kind, values in self._asdict().items() if values is not None]

    def of(self, kind: str | None) -> Tensor | None:
        """The condition of one kind; None if there is none, or `kind` is None."""
        return None if kind is None else self._asdict()[kind]

    def take(self, indices: Tensor) -> "Conditions":
        """The conditions of the images with these numbers. `indices`: (M,), int64."""
        return self._each(lambda values: values[indices.to(values.device)])

    def first(self, count: int) -> "Conditions":
        """The conditions of the first `count` images, repeated if there are fewer."""
        return self._each(lambda values: values[torch.arange(count) % len(values)])

    def cut(self, own: slice) -> "Conditions":
        """The conditions of a slice of the images."""
        return self._each(lambda values: values[own])

    def to(self, device: torch.device | str) -> "Conditions":
        """The same on a device."""
        return self._each(lambda values: values.to(device))

    def resized(self, size: tuple[int, int]) -> "Conditions":
        """Scales and crops maps like images, bilinearly; the rest stays."""
        if self.maps is None or tuple(self.maps.shape[2:]) == size:
            return self
        return self._replace(maps=cover(self.maps, size, mode="bilinear"))

    def flipped(self, chosen: Tensor) -> "Conditions":
        """Mirrors maps left to right where `chosen`, (N,), is true; the rest stays."""
        if self.maps is None:
            return self
        return self._replace(maps=flip(self.maps, chosen))

    def checked(self, count: int, size: tuple[int, int]) -> "Conditions":
        """Checks the conditions against the images, and converts them to the stored types.

        Args:
            count: Number of images N.
            size: Height and width of the images.

        Raises:
            DataError: If a shape does not fit, or a number is not finite.
        """
        if self.labels is not None and tuple(self.labels.shape) != (count,):
            raise DataError(
                f"There must be one label per image: got {count:,} images and labels of "
                f"shape {tuple(self.labels.shape)}."
            )
        if self.attributes is not None and self.attributes.shape[:-1] != (count,):
            raise DataError(
                f"Attributes must have shape (N, A) with one row per image: got {count:,} images "
                f"and attributes of shape {tuple(self.attributes.shape)}."
            )
        wanted = (count, *size)
        if self.maps is not None and (
            self.maps.ndim != 4 or (len(self.maps), *self.maps.shape[2:]) != wanted
        ):
            raise DataError(
                f"Maps must have shape (N, A, H, W), as many and as large as the images: got "
                f"{count:,} images of {size[0]}×{size[1]} and maps of shape "
                f"{tuple(self.maps.shape)}."
            )
        return Conditions(
            None if self.labels is None else self.labels.long(),
            *(_finite(kind, self.of(kind)) for kind in ("attributes", "maps")),
        )

    def _each(self, change: Callable[[Tensor], Tensor]) -> "Conditions":
        return Conditions(*(None if values is None else change(values) for values in self))


def condition_checksum(cond: Tensor) -> str:
    """SHA-256 of conditions (N, …), in hexadecimal digits."""
    return hashlib.sha256(cond.cpu().contiguous().numpy().tobytes()).hexdigest()


def condition_notes(cond: Tensor | None, kind: str | None) -> dict[str, Any]:
    """Conditions (N, …) of a kind for the notes of an image file; maps as their checksum.

    Example:
        >>> condition_notes(torch.tensor([3, 5]), "labels"), condition_notes(None, "labels")
        ({'labels': [3, 5]}, {'labels': None})
    """
    if kind is None:
        return {}
    if kind == "maps" and cond is not None:
        return {"maps_sha256": condition_checksum(cond)}
    return {kind: None if cond is None else cond.tolist()}


def share_evenly(conditions: Tensor, count: int, images: range | None = None) -> Tensor:
    """Shares `count` images evenly among conditions, in their order.

    Args:
        conditions: Shape: (M, …). If M is larger than `count`, the first are used.
        count: Images N.
        images: Numbers of the images wanted; None for all.

    Returns:
        One condition for each image. Shape: (N, …).

    Example:
        >>> labels = torch.tensor([3, 5])
        >>> share_evenly(labels, 4), share_evenly(labels, 4, range(2, 4))
        (tensor([3, 3, 5, 5]), tensor([5, 5]))
    """
    images = range(count) if images is None else images
    places = torch.arange(images.start, images.stop) * len(conditions)
    return conditions[places // max(count, len(conditions))]


def _finite(kind: str, values: Tensor | None) -> Tensor | None:
    if values is None:
        return None
    values = values.float()
    if not values.numel() or not values.isfinite().all():
        raise DataError(
            f"{kind.capitalize()} must be finite numbers, at least one per image: got shape "
            f"{tuple(values.shape)} with {int((~values.isfinite()).sum()):,} that are not finite."
        )
    return values
