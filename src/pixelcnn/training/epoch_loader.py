"""Training batches in an order that depends on the epoch, so that a run can resume anywhere."""

from collections.abc import Iterator
from copy import copy

import numpy as np
from torch import Generator

from pixelcnn.data import Batch, ImageSet, RankSlice, batches
from pixelcnn.data.rank_slice import ALL


class EpochLoader:
    """Shuffled batches; the order depends on the seed and the epoch alone.

    Processes that train together have a loader each and split the same batches: the images of a
    step, and the noise for them, do not depend on the number of processes.

    Args:
        image_set: The training images.
        batch_size: Images per batch, of all processes together; the last one may be smaller.
        seed: Seed of the run.
        augment: Whether images are flipped at random.
        colour_jitter: How far colours are changed at random.
        mutation_rate: Share of sub-pixels that get a random level.
        num_workers: Processes that read images, for sets not held in memory.
        device: Device of the noise: that of the images.
        part: Which images of every batch this process takes.

    Attributes:
        total_images: Images of an epoch, over all processes.
        batch_size: As given.
        epoch: Number of the epoch that the next iteration is, from 0.
        position: Batches of that epoch that are done: where the next iteration begins.
    """

    def __init__(
        self,
        image_set: ImageSet,
        batch_size: int,
        *,
        seed: int,
        augment: bool = False,
        colour_jitter: float = 0.0,
        mutation_rate: float = 0.0,
        num_workers: int = 0,
        device: str = "cpu",
        part: RankSlice = ALL,
    ) -> None:
        self.total_images = len(image_set)
        self.batch_size = batch_size
        self.generator = Generator(device)
        self.seed = seed
        self.epoch = 0
        self.position = 0
        self._batches = batches(
            image_set,
            batch_size,
            shuffle=True,
            generator=self.generator,
            augment=augment,
            colour_jitter=colour_jitter,
            mutation_rate=mutation_rate,
            num_workers=num_workers,
            part=part,
        )

    def num_images(self, number: int) -> int:
        """Images of a batch of that number, from 0, over all processes."""
        return self._batches.num_images(number)

    def first_whole(self) -> Batch:
        """The first batch of the epoch with the images of all processes."""
        whole = copy(self._batches)
        whole.part = ALL
        seed = epoch_seed(self.seed, self.epoch)
        whole.generator = Generator(self.generator.device).manual_seed(seed)
        return next(whole.starting_at(0))

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[Batch]:
        self.generator.manual_seed(epoch_seed(self.seed, self.epoch))
        yield from self._batches.starting_at(self.position)

    def close(self) -> None:
        """Ends the processes that read images."""
        self._batches.close()


def epoch_seed(seed: int, epoch: int) -> int:
    """One seed per run and epoch.

    Example:
        >>> epoch_seed(0, 3), epoch_seed(1, 3)
        (3, 1000006)
    """
    return (seed * 1_000_003 + epoch) % 2**63


def noise_seed(seed: int, epoch: int, batch: int, rank: int = 0) -> int:
    """One seed per run, epoch, batch and process: noise that needs no state to resume.

    Example:
        >>> len({noise_seed(0, epoch, batch) for epoch in range(9) for batch in range(9)})
        81
    """
    sequence = np.random.SeedSequence((seed % 2**63, epoch, batch, rank))
    return int(sequence.generate_state(1, np.uint64)[0] >> np.uint64(1))
