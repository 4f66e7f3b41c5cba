"""Reads the images that the settings name."""

from dataclasses import asdict, replace

from pixelcnn.config.sections import TRAINING_ONLY, Config
from pixelcnn.data import IMAGE_FILES, DataSplits, load_data
from pixelcnn.data.augmentation import changes_in_words


def load_images(config: Config) -> DataSplits:
    """Reads the data set that the section `data` names.

    Raises:
        ConfigError: If a setting does not fit the data set.
        DataError: If the images cannot be read.
    """
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
