"""Batches of an image set: the hot path between data and training."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from pixelcnn.data.conditions import Conditions
from pixelcnn.data.sets import ImageSet
from pixelcnn.data.transforms import choose_flips, draw_binary, flip, mutate
from pixelcnn.errors import ConfigError


class Batch(NamedTuple):
    """Images and what is known of them.

    Attributes:
        x: Levels. Shape: (B, C, H, W), int64.
        conditions: Their labels, attributes and maps, as far as there are any.
    """

    x: Tensor
    conditions: Conditions = Conditions()

    @property
    def labels(self) -> Tensor | None:
        """Class numbers. Shape: (B,), int64; or None."""
        return self.conditions.labels


class Batches:
    """The batches of one image set, again in every epoch. Made by `batches`."""

    def __init__(
        self,
        image_set: ImageSet,
        batch_size: int,
        *,
        shuffle: bool,
        generator: Generator,
        augment: bool,
        mutation_rate: float,
        num_workers: int,
        drop_last: bool,
    ) -> None:
        self.image_set = image_set
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.generator = generator
        self.augment = augment
        self.mutation_rate = mutation_rate
        self.num_workers = num_workers
        self.drop_last = drop_last

    def __len__(self) -> int:
        whole, rest = divmod(len(self.image_set), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[Batch]:
        images = self.image_set
        order = self._order()
        for indices, stored in zip(
            order, images.read(order, num_workers=self.num_workers), strict=True
        ):
            x, conditions = stored.long(), images.conditions.take(indices)
            if self.augment:
                chosen = choose_flips(len(x), generator=self.generator)
                x, conditions = flip(x, chosen), conditions.flipped(chosen)
            if images.redraws:
                x = draw_binary(x, levels=images.stored_levels, generator=self.generator)
            if self.mutation_rate:
                levels = images.spec.levels
                x = mutate(x, levels=levels, rate=self.mutation_rate, generator=self.generator)
            yield Batch(x, conditions)

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
    mutation_rate: float = 0.0,
    num_workers: int = 0,
    drop_last: bool = False,
) -> Batches:
    """Cuts an image set into batches; can be iterated once per epoch.

    Evaluation leaves `shuffle`, `augment`, `mutation_rate` and `drop_last` off, so that every image
    counts once and as it is.

    Args:
        image_set: A split of `load_data`.
        batch_size: Images per batch B; the last batch may be smaller.
        shuffle: Whether each epoch draws a new order.
        generator: Where order, flips and dynamic binarization come from. Without one, a
            generator of its own, seeded with 0, that runs on from epoch to epoch.
        augment: Whether images, and maps with them, are mirrored left to right at random, for
            training only.
        mutation_rate: Share of sub-pixels that get a random level, for training a background
            model only; see `pixelcnn.data.transforms.mutate`.
        num_workers: Processes that decode images; sets held in memory need none and start none.
        drop_last: Whether a smaller last batch is left out, for training only.

    Returns:
        An iterable of `Batch`, with a length.

    Raises:
        ConfigError: If a number does not fit, or `drop_last` would leave no batch.

    Example:
        >>> from pixelcnn.data.sets import TensorImageSet
        >>> images = TensorImageSet(torch.zeros(5, 1, 8, 8, dtype=torch.uint8), levels=2)
        >>> [len(batch.x) for batch in batches(images, 2)]
        [2, 2, 1]
    """
    if batch_size < 1:
        raise ConfigError(f"`batch_size` must be at least 1, got {batch_size}.")
    if num_workers < 0:
        raise ConfigError(f"`num_workers` must be at least 0, got {num_workers}.")
    if not 0 <= mutation_rate < 1:
        raise ConfigError(f"`mutation_rate` must be in [0, 1), got {mutation_rate}.")
    if drop_last and len(image_set) < batch_size:
        raise ConfigError(
            f"With `drop_last`, `batch_size` must be at most the number of images, "
            f"{len(image_set):,}, got {batch_size:,}: no batch would be left."
        )
    return Batches(
        image_set,
        batch_size,
        shuffle=shuffle,
        generator=torch.Generator().manual_seed(0) if generator is None else generator,
        augment=augment,
        mutation_rate=mutation_rate,
        num_workers=num_workers,
        drop_last=drop_last,
    )
