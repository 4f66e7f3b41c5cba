"""Builds a model from its settings."""

from collections.abc import Mapping
from typing import Any

from pixelcnn.config import ModelConfig, as_section
from pixelcnn.data import DataSplits
from pixelcnn.data.data_warnings import warn_about_data
from pixelcnn.errors import ConfigError
from pixelcnn.models import AutoregressiveModel, build

# Settings of a model, and the kinds of condition that they count.
KINDS = {"num_labels": "labels", "num_attributes": "attributes", "num_map_channels": "maps"}


def build_model(config: ModelConfig, data: DataSplits) -> AutoregressiveModel:
    """Builds the architecture that `config` names, in the shape of the images.

    Args:
        config: Channels and levels left at None are those of the images.
        data: The images to be modelled.

    Returns:
        An untrained model.

    Raises:
        ConfigError: If a setting does not fit the architecture or the data.
    """
    check_shape(config.settings, data)
    check_data_condition(config.settings, data)
    model = config.build(data.spec)
    names = data.names_of(model.condition.kind)
    # The data may name more classes than the model has, if no image is of them.
    model.name_condition(None if names is None else names[: model.condition.count])
    return model


def default_model(config: ModelConfig | Mapping[str, Any] | None) -> AutoregressiveModel:
    """Builds the architecture that settings name, without images to take channels and levels from.

    Args:
        config: A `ModelConfig`, a dict of its settings, or None for the default model. What is
            left out has the default of the class.

    Raises:
        ConfigError: If a setting does not fit the architecture.
    """
    settings = as_section(ModelConfig, config).as_dict()
    return build(**{name: value for name, value in settings.items() if value is not None})


def check_shape(options: dict[str, Any], data: DataSplits) -> None:
    """Raises `ConfigError` unless channels and levels, where set, are those of the images."""
    channels = options["in_channels"] or data.spec.channels
    if channels != data.spec.channels:
        raise ConfigError(
            f"`model.in_channels` must be {data.spec.channels}, the channels of these images, "
            f"got {channels}. Leave it out to take it from the data."
        )
    levels = options["num_classes"] or data.spec.levels
    if levels != data.spec.levels:
        raise ConfigError(
            f"`model.num_classes` must be {data.spec.levels}, the levels of these images, got "
            f"{levels}. Leave it out, or set `data.levels` to {levels}."
        )


def check_data_condition(options: dict[str, Any], data: DataSplits) -> None:
    """Raises `ConfigError` unless the data have what the model is conditioned on."""
    for name, kind in KINDS.items():
        values, count = data.train.conditions.of(kind), options[name]
        if count is None:
            continue
        if values is None:
            others = " and ".join(data.train.conditions.kinds)
            raise ConfigError(
                f"`model.{name}` is {count}, but these images have "
                f"{f'{others}, and ' if others else ''}no {kind}. Leave it out."
            )
        if kind == "labels":
            _check_labels(count, data)
        if kind != "labels" and values.shape[1] != count:
            names = data.names_of(kind)
            named = f" ({', '.join(names)})" if names else ""
            raise ConfigError(
                f"`model.{name}` must be {values.shape[1]}, as the {kind} of these images "
                f"have{named}, got {count}."
            )


def _check_labels(count: int, data: DataSplits) -> None:
    """Raises `ConfigError` unless all images have labels of the model; warns if it has more."""
    assert data.train.labels is not None
    least, known = int(data.train.labels.max()) + 1, data.num_labels or 0
    if count < least:
        raise ConfigError(
            f"`model.num_labels` must be at least {least}, the labels of these images, got {count}."
        )
    if data.val.labels is None:
        raise ConfigError(
            "A model of labels needs validation images with labels, got some without. Label them, "
            "or leave out `model.num_labels`."
        )
    if count > known:
        warn_about_data(
            f"`model.num_labels` is {count} and these images have {known} labels: samples of the "
            f"other {count - known} are of no images."
        )
