"""The batches of a training, as configured."""

from pixelcnn.config import Config
from pixelcnn.data import Batches, DataSplits, RankSlice, batches
from pixelcnn.data.augmentation import warn_about_augmentation
from pixelcnn.data.rank_slice import ALL
from pixelcnn.device import resolve_device
from pixelcnn.training.epoch_loader import EpochLoader


def loaders(config: Config, data: DataSplits, part: RankSlice = ALL) -> tuple[EpochLoader, Batches]:
    """Training and validation batches, on the device if the images are in memory.

    Args:
        config: The settings.
        data: The images.
        part: Which images of every batch this process takes.
    """
    device = resolve_device(config.device)
    warn_about_augmentation(
        config.data.dataset_name,
        flips=config.data.use_augmentation,
        colour_jitter=config.data.colour_jitter,
    )
    train = EpochLoader(
        data.train.to(device),
        config.data.batch_size,
        seed=config.seed,
        augment=config.data.use_augmentation,
        colour_jitter=config.data.colour_jitter,
        mutation_rate=config.data.mutation_rate,
        num_workers=config.data.num_workers,
        device=device,
        part=part,
    )
    val = batches(
        data.val.to(device),
        max(config.data.batch_size, config.evaluation.batch_size),
        num_workers=config.data.num_workers,
        part=part,
    )
    return train, val
