"""The section `model`: the name of an architecture, and arguments of its constructor."""

import inspect
import json
from collections.abc import Iterable
from contextlib import AbstractContextManager
from functools import cache
from typing import Any

import torch

from pixelcnn.arguments import renamed_arguments
from pixelcnn.config.replaced import advice_on
from pixelcnn.errors import ConfigError, suggestion
from pixelcnn.models import MODELS, AutoregressiveModel
from pixelcnn.models.options import typed_argument
from pixelcnn.spec import ImageSpec
from pixelcnn.tensor_files import limited_parameters

FROM_DATA = ("in_channels", "num_classes")
"""Settings that the images decide where they are null."""

# What a trial is built for where the images are not known yet: any of these must do.
LIKELY_LEVELS = (256, 2)
MOST_TENSORS, MOST_NUMBERS = 3_000, 2**27


class ModelConfig:
    """Which architecture, and the arguments of its constructor.

    Args:
        name: Key of `pixelcnn.models.MODELS`.
        **settings: Arguments of that class but `image_size`, which the images decide, as
            `help(pixelcnn.PixelCNN)` and the like document them. None for the default.

    Attributes:
        name: As above.
        settings: Every argument of the class but `image_size`, with its value. Channels and levels
            are None where the images decide.

    Raises:
        ConfigError: If there is no such architecture, or a setting is not of it or of another type.

    Example:
        >>> ModelConfig("gated", hidden_channels=32).settings["hidden_channels"]
        32
        >>> ModelConfig("gated", hiden_channels=32)
        Traceback (most recent call last):
        pixelcnn.errors.ConfigError: `model.hiden_channels` is not a setting of the model gated. \
Did you mean `model.hidden_channels`?
    """

    def __init__(self, name: str = "pixelcnn", **settings: Any) -> None:
        self.name = name
        with naming_settings(["name"]):
            arguments = arguments_of(name)
        self.settings: dict[str, Any] = {
            each: None if each in FROM_DATA else argument.default
            for each, argument in arguments.items()
        }
        for each, value in settings.items():
            with naming_settings([each, *arguments]):
                if each not in arguments:
                    refuse_unknown(each, value, name)
                elif value is not None and value != "null":
                    self.settings[each] = typed_argument(each, value, arguments)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ModelConfig) and self.as_dict() == other.as_dict()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        words = ", ".join(f"{name}={value!r}" for name, value in self.as_dict().items())
        return f"ModelConfig({words})"

    def as_dict(self) -> dict[str, Any]:
        """The section as it stands in a file."""
        return {"name": self.name, **self.settings}

    def build(self, spec: ImageSpec | None = None) -> AutoregressiveModel:
        """Constructs the model.

        Args:
            spec: The images; None for channels and levels as they are set here, or the defaults of
                the architecture.

        Raises:
            ConfigError: If a setting is out of range or does not fit another; it is named as
                `model.hidden_channels`.
        """
        given = {
            name: value
            for name, value in self.settings.items()
            if value is not None or name not in FROM_DATA
        }
        if spec is not None:
            given |= {"in_channels": spec.channels, "num_classes": spec.levels}
            given["image_size"] = (spec.height, spec.width)
        with naming_settings(arguments_of(self.name)):
            return MODELS[self.name](**given)

    def check(
        self, channels: int | None = None, levels: int | None = None, *, num_processes: int = 1
    ) -> None:
        """Raises `ConfigError` unless the model can be built, with one built for a trial.

        Args:
            channels: C of the images, where it is known.
            levels: K of the images, where it is known.
            num_processes: How many processes share each batch.
        """
        with naming_settings(arguments_of(self.name)):
            channels = self.settings["in_channels"] or channels or 1
            levels = self.settings["num_classes"] or levels
            mixes = try_building(self.name, json.dumps(self.settings), channels, levels)
            if mixes and num_processes > 1:
                raise ConfigError(
                    f"Batch norm takes the statistics of all images of a batch, which "
                    f"{num_processes} processes share: choose another `norm`, or one process."
                )


def arguments_of(name: str) -> dict[str, inspect.Parameter]:
    """The arguments of an architecture that are settings."""
    parameters = inspect.signature(MODELS.find(name)).parameters
    return {each: found for each, found in parameters.items() if each != "image_size"}


def refuse_unknown(setting: str, value: Any, name: str) -> None:
    """Raises `ConfigError` for what is no setting of an architecture.

    Files of earlier versions list the settings of all architectures, those of others as null.
    """
    if value in (None, "null") and any(setting in arguments_of(other) for other in MODELS):
        return
    arguments = arguments_of(name)
    instead = advice_on(f"model.{setting}")
    if not any(f"`model.{each}`" in instead for each in arguments):  # of this model
        instead = suggestion(setting, arguments, cutoff=0.75)
    raise ConfigError(
        f"`{setting}` is not a setting of the model {name}."
        + (instead or f" It takes {', '.join(arguments)}.")
    )


def naming_settings(names: Iterable[str]) -> AbstractContextManager[None]:
    """Makes errors about the arguments of a constructor name them as settings are typed."""
    return renamed_arguments({name: f"model.{name}" for name in names})


@cache
def try_building(name: str, settings: str, channels: int, levels: int | None) -> bool:
    """Raises `ConfigError` unless an architecture can be built for images of some levels.

    Args:
        name: Of the architecture.
        settings: JSON of its arguments.
        channels: C.
        levels: K; None for any of those that are likely.

    Returns:
        Whether its layers take statistics of whole batches while it trains.
    """
    refused: ConfigError | None = None
    for each in LIKELY_LEVELS if levels is None else [levels]:
        given = {**json.loads(settings), "in_channels": channels, "num_classes": each}
        try:
            with torch.random.fork_rng(devices=[]), limited_parameters(MOST_TENSORS, MOST_NUMBERS):
                model = MODELS[name](**given)
            return any(each.endswith("running_mean") for each, _ in model.named_buffers())
        except ConfigError as error:
            refused = refused or error
        except ValueError as error:
            raise ConfigError(
                f"A model must have at most {MOST_TENSORS:,} tensors of weights, and "
                f"{MOST_NUMBERS:,} numbers in each, got more. Set fewer layers or channels."
            ) from error
    assert refused is not None
    raise refused
