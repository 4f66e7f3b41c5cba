"""The images of a training: read as configured, and cut into batches."""

from dataclasses import asdict, replace

from pixelcnn.config import TRAINING_ONLY, Config
from pixelcnn.data import IMAGE_FILES, Batches, DataSplits, RankSlice, batches, load_data
from pixelcnn.data.augmentation import changes_in_words, warn_of_augmentation
from pixelcnn.data.rank_slice import ALL
from pixelcnn.device import resolve_device
from pixelcnn.training.epoch_loader import EpochLoader


def load_images(config: Config) -> DataSplits:
    """The data set as configured."""
    options = {
        name: value for name, value in asdict(config.data).items() if name not in TRAINING_ONLY
    }
    name = options.pop("dataset_name")
    # Only image files can be read in grey or in colour, as the model wants.
    reads_images = name.partition(":")[0] in IMAGE_FILES
    channels = config.model.settings["in_channels"] if reads_images else None
    data = load_data(name, **options, channels=channels, seed=config.seed)
    changes = changes_in_words(config.data.colour_jitter, config.data.mutation_rate)
    return replace(data, protocol="; ".join((data.protocol, *changes)))


def loaders(config: Config, data: DataSplits, part: RankSlice = ALL) -> tuple[EpochLoader, Batches]:
    """Batches to train on and to validate on, already on the device if they are in memory.

    Args:
        config: The settings.
        data: The images.
        part: Which images of every batch this process takes.
    """
    device = resolve_device(config.device)
    warn_of_augmentation(
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
