"""Batches of a training: of our own loaders, which resume anywhere, and of any other."""

from collections.abc import Iterator
from copy import copy
from typing import Any

import numpy as np
from torch import Generator

from pixelcnn.config import Config
from pixelcnn.data import Batch, Batches, DataSplits, ImageSet, RankSlice, batches
from pixelcnn.data.augmentation import warn_about_augmentation
from pixelcnn.data.batches import as_batch
from pixelcnn.data.rank_slice import ALL
from pixelcnn.device import resolve_device
from pixelcnn.errors import DataError
from pixelcnn.logger import logger
from pixelcnn.models import AutoregressiveModel
from pixelcnn.spec import FloatReader


class EpochLoader:
    """Shuffled batches; the order depends on the seed and the epoch alone.

    Processes that train together have a loader each and split the same batches: the images of a
    step, and the noise for them, do not depend on the number of processes.

    Args:
        image_set: The training images.
        batch_size: Images per batch, of all processes together; the last one may be smaller.
        seed: Seed of the run.
        device: Device of the noise: that of the images.
        options: Of `pixelcnn.data.batches`.

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
        device: str = "cpu",
        **options: Any,
    ) -> None:
        self.total_images = len(image_set)
        self.batch_size = batch_size
        self.generator = Generator(device)
        self.seed = seed
        self.epoch = 0
        self.position = 0
        self._batches = batches(
            image_set, batch_size, shuffle=True, generator=self.generator, **options
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


def make_loaders(
    config: Config, data: DataSplits, part: RankSlice = ALL
) -> tuple[EpochLoader, Batches]:
    """Training and validation batches, on the device if the images are in memory.

    Of every batch, this process takes the images of `part`.
    """
    settings, device = config.data, resolve_device(config.device)
    warn_about_augmentation(
        settings.dataset_name,
        flips=settings.use_augmentation,
        colour_jitter=settings.colour_jitter,
    )
    train = EpochLoader(
        data.train.to(device),
        settings.batch_size,
        seed=config.seed,
        device=device,
        augment=settings.use_augmentation,
        colour_jitter=settings.colour_jitter,
        mutation_rate=settings.mutation_rate,
        num_workers=settings.num_workers,
        part=part,
    )
    val = batches(
        data.val.to(device),
        max(settings.batch_size, config.evaluation.batch_size),
        num_workers=settings.num_workers,
        part=part,
    )
    return train, val


class BatchReader:
    """Turns images, or pairs of images and labels, of any loader into levels that are checked.

    Args:
        model: Its levels and its kind of condition say how to read them.
    """

    def __init__(self, model: AutoregressiveModel) -> None:
        self.model = model
        self.read_floats = FloatReader(model.num_classes)
        self._logged: str | None = None

    def __call__(self, batch: Any) -> Batch:
        """Returns a batch of levels. Our own loaders, whose images are checked, pass through.

        Raises:
            DataError: If the batch is neither images nor a pair, or lacks the condition.
            ShapeError: If the images are not levels of the model, or the labels do not fit.
        """
        if isinstance(batch, Batch):
            return batch
        kind = self.model.condition.kind
        found = as_batch(batch, kind)
        found = found._replace(x=self.read_floats(found.x).long())
        cond = found.conditions.of(kind)
        if kind is not None and cond is None:
            raise DataError(
                f"The model is conditioned on {kind}, but the loader yields images alone. Yield "
                f"pairs of images and {kind}, or build the model without them."
            )
        self.model.check(found.x, cond, name="images")
        if self.read_floats.protocol != self._logged:
            self._logged = self.read_floats.protocol
            logger.info(f"Images: {self._logged}.")
        return found


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
