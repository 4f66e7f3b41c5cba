"""Reads the images that the settings name."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pixelcnn.config.load import section_dict
from pixelcnn.config.sections import TRAINING_ONLY, Config, DataConfig
from pixelcnn.data import DataSplits, load_data, reader_options
from pixelcnn.data.augmentation import augmentation_notes
from pixelcnn.data.sources.arrays.memory import MEMORY
from pixelcnn.errors import ConfigError


def load_images(config: Config, arrays: Mapping[str, Any] | None = None) -> DataSplits:
    """Reads the data set that the section `data` names, or makes one of arrays in memory.

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
    data = load_data(
        name if arrays is None else arrays, **options, channels=channels, seed=config.seed
    )
    changes = augmentation_notes(config.data.colour_jitter, config.data.mutation_rate)
    return replace(data, protocol="; ".join((data.protocol, *changes)))


def named_memory(config: Config) -> Config:
    """The settings of a run on arrays in memory.

    Raises:
        ConfigError: If they name a data set, too.
    """
    name = config.data.dataset_name
    if name not in (DataConfig().dataset_name, MEMORY):
        raise ConfigError(
            f"The images must be `data` or the set of `data_config`, got both (`dataset_name` is "
            f"{name!r}). Leave out one of them."
        )
    return replace(config, data=replace(config.data, dataset_name=MEMORY))
