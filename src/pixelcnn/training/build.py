"""A model as configured, for the data at hand."""

import inspect
from dataclasses import asdict
from typing import Any

from pixelcnn.config import ModelConfig
from pixelcnn.data import DataSplits
from pixelcnn.errors import ConfigError
from pixelcnn.models import MODELS, AutoregressiveModel, build

# What a model counts, and what data call it.
KINDS = {"num_labels": "labels", "num_attributes": "attributes", "num_map_channels": "maps"}


def build_model(config: ModelConfig, data: DataSplits) -> AutoregressiveModel:
    """Builds the architecture that `config` names, in the shape of the images.

    Args:
        config: Settings left at None are the architecture's own, or the data's.
        data: The images to be modelled.

    Returns:
        An untrained model.

    Raises:
        ConfigError: If a setting does not fit the architecture or the data.
    """
    if config.name not in MODELS:
        raise ConfigError(f"`model.name` must be one of {', '.join(MODELS)}, got {config.name!r}.")
    options = {name: value for name, value in asdict(config).items() if value is not None}
    del options["name"]
    taken = inspect.signature(MODELS[config.name]).parameters
    for name in options:
        if name not in taken:
            raise ConfigError(
                f"`model.{name}` is not a setting of the model {config.name}, which takes "
                f"{', '.join(other for other in taken if other != 'image_size')}."
            )
    check_shape(options, data)
    check_condition(options, data)
    spec = data.spec
    shape = {
        "in_channels": spec.channels,
        "num_classes": spec.levels,
        "image_size": (spec.height, spec.width),
    }
    model = build(config.name, **{**options, **shape})
    names = data.names_of(model.condition.kind)
    # There may be more classes than the model is told of, if the images show none of them.
    model.name_condition(None if names is None else names[: model.condition.count])
    return model


def check_shape(options: dict[str, Any], data: DataSplits) -> None:
    """Raises `ConfigError` unless channels and levels, where set, are those of the images."""
    channels = options.get("in_channels", data.spec.channels)
    if channels != data.spec.channels:
        raise ConfigError(
            f"`model.in_channels` must be {data.spec.channels}, the channels of these images, "
            f"got {channels}. Leave it out to take it from the data."
        )
    levels = options.get("num_classes", data.spec.levels)
    if levels != data.spec.levels:
        raise ConfigError(
            f"`model.num_classes` must be {data.spec.levels}, the levels of these images, got "
            f"{levels}. Leave it out, or set `data.levels` to {levels}."
        )
    if options.get("likelihood") == "bernoulli" and levels != 2:
        raise ConfigError(
            f"`model.likelihood` bernoulli needs images of 2 levels, got {levels}. "
            f"Use categorical, or set `data.binarization`."
        )


def check_condition(options: dict[str, Any], data: DataSplits) -> None:
    """Raises `ConfigError` unless the data hold what the model is conditioned on."""
    for name, kind in KINDS.items():
        if name not in options:
            continue
        values, count = data.train.conditions.of(kind), options[name]
        if values is None:
            others = " and ".join(data.train.conditions.kinds)
            raise ConfigError(
                f"`model.{name}` is {count}, but these images have "
                f"{f'{others}, and ' if others else ''}no {kind}. Leave it out."
            )
        if kind == "labels" and int(values.max()) >= count:
            raise ConfigError(
                f"`model.num_labels` must be at least {int(values.max()) + 1}, the labels of these "
                f"images, got {count}."
            )
        if kind != "labels" and values.shape[1] != count:
            names = data.names_of(kind)
            named = f" ({', '.join(names)})" if names else ""
            raise ConfigError(
                f"`model.{name}` must be {values.shape[1]}, as the {kind} of these images "
                f"have{named}, got {count}."
            )
