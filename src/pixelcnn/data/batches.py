"""Batches of an image set."""

from collections.abc import Iterator
from dataclasses import InitVar, dataclass
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor

from pixelcnn.arguments import check_share, whole_number
from pixelcnn.data.conditions import Conditions
from pixelcnn.data.image_sets import ImageSet
from pixelcnn.data.rank_slice import ALL, RankSlice
from pixelcnn.data.transforms import (
    choose_flips,
    flip,
    jitter_colours,
    mutate,
    sample_binary,
)
from pixelcnn.errors import ConfigError, DataError


class Batch(NamedTuple):
    """Images and their conditions.

    Attributes:
        x: Levels. Shape: (B, C, H, W), int64.
        conditions: Labels, attributes and maps of the images.
    """

    x: Tensor
    conditions: Conditions = Conditions()

    def to(self, device: torch.device | str) -> "Batch":
        """The same on a device."""
        return Batch(self.x.to(device), self.conditions.to(device))

    @property
    def labels(self) -> Tensor | None:
        """Class numbers. Shape: (B,), int64; or None."""
        return self.conditions.labels


def as_batch(batch: Any, kind: str | None) -> Batch:
    """Reads what a loader of PyTorch yields: images, or a pair of images and their condition.

    Args:
        batch: A tensor (B, C, H, W), or a pair of it and a tensor of B conditions. A `Batch` is
            returned as it is.
        kind: What the second tensor holds: "labels", "attributes" or "maps". None: labels, since
            loaders of PyTorch have nothing else.

    Raises:
        DataError: If it is anything else.

    Example:
        >>> as_batch([torch.zeros(2, 1, 8, 8), torch.tensor([3, 1])], None).labels
        tensor([3, 1])
    """
    if isinstance(batch, Batch):
        return batch
    parts = list(batch) if isinstance(batch, list | tuple) else [batch]
    if not 1 <= len(parts) <= 2 or not all(isinstance(part, Tensor) for part in parts):
        raise DataError(
            f"A loader must yield images (B, C, H, W), or pairs of images and labels, got "
            f"{type(batch).__name__}."
        )
    return Batch(parts[0], Conditions(**dict.fromkeys([kind or "labels"], *parts[1:])))


@dataclass(kw_only=True, eq=False)
class Batches:
    """The batches of one image set, iterated once per epoch; see `batches` for the attributes."""

    image_set: ImageSet
    batch_size: int
    shuffle: bool
    generator: Generator
    augment: bool
    colour_jitter: float
    mutation_rate: float
    num_workers: InitVar[int]
    drop_last: bool
    part: RankSlice

    def __post_init__(self, num_workers: int) -> None:
        self._reader = self.image_set.reader(num_workers)

    @property
    def augments(self) -> bool:
        """Whether images are augmented, for training only."""
        return bool(self.augment or self.colour_jitter or self.mutation_rate)

    def __len__(self) -> int:
        whole, rest = divmod(len(self.image_set), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def num_images(self, number: int) -> int:
        """Number of images of a batch, counted from 0, over all processes that share it."""
        return min(self.batch_size, len(self.image_set) - number * self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        return self.starting_at(0)

    def starting_at(self, position: int) -> Iterator[Batch]:
        """An epoch without its first batches, which are neither read nor augmented.

        The other batches are the same as in the whole epoch: the seed of a batch depends on its
        number alone.

        Args:
            position: Number of the first batch, from 0.
        """
        images = self.image_set
        order = self._order()
        seeds = self._seeds(len(order))[position:]
        noise = Generator(self.generator.device)
        order = order[position:]
        parts = [indices[self.part.computed(len(indices))] for indices in order]
        for indices, seed, stored in zip(order, seeds, self._reader(parts), strict=True):
            own = self.part.computed(len(indices))
            # Random choices are made for the whole batch, and sliced like the images.
            x = place_in_batch(stored.long(), own, len(indices))
            batch = Batch(x, images.conditions.take(indices))
            batch = self._augmented(batch, noise.manual_seed(seed))
            yield Batch(batch.x[own], batch.conditions.cut(own))

    def close(self) -> None:
        """Ends the processes that decode images and wait for the next epoch."""
        self._reader.close()

    def _augmented(self, batch: Batch, noise: Generator) -> Batch:
        """A batch after augmentation and dynamic binarization."""
        images, (x, conditions) = self.image_set, batch
        if self.augment:
            chosen = choose_flips(len(x), generator=noise)
            x, conditions = flip(x, chosen), conditions.flipped(chosen)
        if self.colour_jitter:
            x = jitter_colours(x, self.colour_jitter, generator=noise)
        if images.is_dynamic:
            x = sample_binary(x, levels=images.stored_levels, generator=noise)
        if self.mutation_rate:
            levels = images.spec.levels
            x = mutate(x, levels=levels, rate=self.mutation_rate, generator=noise)
        return Batch(x, conditions)

    def _seeds(self, count: int) -> list[int]:
        """A seed for each batch of this epoch; zeros where no batch needs one."""
        if not self.augments and not self.image_set.is_dynamic:
            return [0] * count
        device = self.generator.device
        seeds = torch.randint(2**62, (count,), generator=self.generator, device=device)
        as_list: list[int] = seeds.tolist()
        return as_list

    def _order(self) -> list[Tensor]:
        """The image numbers of each batch of this epoch."""
        count = len(self.image_set)
        if self.shuffle:
            numbers = torch.randperm(
                count, generator=self.generator, device=self.generator.device
            ).cpu()
        else:
            numbers = torch.arange(count)
        return list(numbers.split(self.batch_size)[: len(self)])


def batches(
    image_set: ImageSet,
    batch_size: int,
    *,
    shuffle: bool = False,
    generator: Generator | None = None,
    augment: bool = False,
    colour_jitter: float = 0.0,
    mutation_rate: float = 0.0,
    num_workers: int = 0,
    drop_last: bool = False,
    part: RankSlice = ALL,
) -> Batches:
    """Cuts an image set into batches; can be iterated once per epoch.

    Evaluation leaves `shuffle`, `augment`, `colour_jitter`, `mutation_rate` and `drop_last` off, so
    that every image counts once, unchanged.

    Args:
        image_set: A split of `load_data`.
        batch_size: Images per batch B; the last batch may be smaller.
        shuffle: Whether each epoch has a new random order.
        generator: Source of order, augmentation and dynamic binarization. None: a new generator
            with seed 0, which continues from epoch to epoch.
        augment: Whether images, and maps with them, are mirrored left to right at random, for
            training only.
        colour_jitter: How far brightness, contrast and saturation of RGB images of 256 levels are
            changed at random, for training only; see `pixelcnn.data.transforms.jitter_colours`.
        mutation_rate: Share of sub-pixels that get a random level, for training a background
            model only; see `pixelcnn.data.transforms.mutate`.
        num_workers: Processes that decode images; sets in memory start none.
        drop_last: Whether a smaller last batch is left out, for training only.
        part: The share of this process in every batch.

    Returns:
        An iterable of `Batch`, with a length.

    Raises:
        ConfigError: If a number does not fit, the images have no colours to jitter, or `drop_last`
            would leave no batch.

    Example:
        >>> from pixelcnn.data.image_sets import TensorImageSet
        >>> images = TensorImageSet(torch.zeros(5, 1, 8, 8, dtype=torch.uint8), levels=2)
        >>> [len(batch.x) for batch in batches(images, 2)]
        [2, 2, 1]
    """
    check_batch_options(batch_size, num_workers, colour_jitter, mutation_rate)
    check_jitter(image_set, colour_jitter)
    if drop_last and len(image_set) < batch_size:
        raise ConfigError(
            f"With `drop_last`, `batch_size` must be at most the number of images, "
            f"{len(image_set):,}, got {batch_size:,}: no batch would be left."
        )
    return Batches(
        image_set=image_set,
        batch_size=batch_size,
        shuffle=shuffle,
        generator=torch.Generator().manual_seed(0) if generator is None else generator,
        augment=augment,
        colour_jitter=colour_jitter,
        mutation_rate=mutation_rate,
        num_workers=num_workers,
        drop_last=drop_last,
        part=part,
    )


def place_in_batch(x: Tensor, own: slice, count: int) -> Tensor:
    """Images at their places in a batch of `count`, with zeros for the images of other processes.

    Example:
        >>> place_in_batch(torch.ones(2), slice(1, 3), 4)
        tensor([0., 1., 1., 0.])
    """
    if len(x) == count:
        return x
    whole = x.new_zeros(count, *x.shape[1:])
    whole[own] = x
    return whole


def check_batch_options(
    batch_size: int, num_workers: int, colour_jitter: float, mutation_rate: float
) -> None:
    """Raises `ConfigError` if options of `batches` are out of range, whatever the images."""
    whole_number("batch_size", batch_size)
    whole_number("num_workers", num_workers, at_least=0)
    check_share("colour_jitter", colour_jitter)
    check_share("mutation_rate", mutation_rate)


def check_jitter(image_set: ImageSet, colour_jitter: float) -> None:
    """Raises `ConfigError` unless the images allow this colour jitter."""
    spec = image_set.spec
    if colour_jitter and (spec.channels, spec.levels) != (3, 256):
        raise ConfigError(
            f"`colour_jitter` must be 0 unless images are RGB of 256 levels, whose numbers are "
            f"brightnesses, got {colour_jitter} for images of {spec.channels} "
            f"{'channel' if spec.channels == 1 else 'channels'} and {spec.levels} levels."
        )
