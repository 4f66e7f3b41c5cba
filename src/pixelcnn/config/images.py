"""Reads the images that the settings name."""

from dataclasses import replace

from pixelcnn.config.load import section_dict
from pixelcnn.config.sections import TRAINING_ONLY, Config
from pixelcnn.data import DataSplits, load_data, reader_options
from pixelcnn.data.augmentation import augmentation_notes


def load_images(config: Config) -> DataSplits:
    """Reads the data set that the section `data` names.

    Raises:
        ConfigError: If a setting does not fit the data set.
        DataError: If the images cannot be read.
    """
    settings = section_dict(config.data)
    options = {name: value for name, value in settings.items() if name not in TRAINING_ONLY}
    name = options.pop("dataset_name")
    # Only image files can be read in grey or in colour, as the model wants.
    reads_images = "channels" in reader_options(name)
    channels = config.model.settings["in_channels"] if reads_images else None
    data = load_data(name, **options, channels=channels, seed=config.seed)
    changes = augmentation_notes(config.data.colour_jitter, config.data.mutation_rate)
    return replace(data, protocol="; ".join((data.protocol, *changes)))
