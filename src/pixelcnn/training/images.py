"""The images of a training: read as configured, and cut into batches."""

from dataclasses import asdict, replace

from pixelcnn.config import Config
from pixelcnn.data import Batches, DataSplits, batches, load_data
from pixelcnn.device import resolve_device
from pixelcnn.training.loader import EpochLoader


def load_images(config: Config) -> DataSplits:
    """The data set as configured."""
    options = asdict(config.data)
    for name in ("batch_size", "num_workers", "use_augmentation", "mutation_rate"):
        del options[name]
    name = options.pop("dataset_name")
    # Only the files of a folder can be read in grey or in colour, as the model wants.
    channels = config.model.in_channels if name.startswith("folder") else None
    data = load_data(name, **options, channels=channels, seed=config.seed)
    rate = config.data.mutation_rate
    if rate:
        noise = f"{rate:g} of the sub-pixels of training images replaced"
        data = replace(data, protocol=f"{data.protocol}; {noise}")
    return data


def loaders(config: Config, data: DataSplits) -> tuple[EpochLoader, Batches]:
    """Batches to train on and to validate on, already on the device if they are in memory."""
    device = resolve_device(config.device)
    train = EpochLoader(
        data.train.to(device),
        config.data.batch_size,
        seed=config.seed,
        augment=config.data.use_augmentation,
        mutation_rate=config.data.mutation_rate,
        num_workers=config.data.num_workers,
        device=device,
    )
    val = batches(
        data.val.to(device),
        max(config.data.batch_size, config.evaluation.batch_size),
        num_workers=config.data.num_workers,
    )
    return train, val
