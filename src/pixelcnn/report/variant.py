"""A model that a report compares, with what its training left."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pixelcnn.models import AutoregressiveModel

# Settings that say where and how a run was made, not what it is.
INCIDENTAL = ("out", "device", "resume", "data.data_root", "data.num_workers")


@dataclass(frozen=True)
class Variant:
    """A trained model with what its training left.

    Attributes:
        name: What the report calls it.
        model: In evaluation mode.
        settings: Of its run by dotted key; empty for a model file without a run folder.
        history: One entry per epoch, see `pixelcnn.charts.curves.History`; may be empty.
        training: The training section of its checkpoint.
        grids: Sample grids of the run, by epoch.
    """

    name: str
    model: AutoregressiveModel
    settings: Mapping[str, Any] = field(default_factory=dict)
    history: Sequence[Mapping[str, Any]] = ()
    training: Mapping[str, Any] = field(default_factory=dict)
    grids: Mapping[int, Path] = field(default_factory=dict)

    @property
    def architecture(self) -> str:
        """The name of the architecture, and the settings that differ from its defaults."""
        defaults = inspect.signature(type(self.model)).parameters
        known = ("in_channels", "num_classes", "image_size", "likelihood")
        chosen = [
            f"{name.replace('_', ' ')} {in_words(value)}"
            for name, value in self.model.config.items()
            if name not in known and value is not None and value != defaults[name].default
        ]
        return "; ".join([self.model.name, *chosen])

    @property
    def receptive_field(self) -> str:
        """The receptive field in words."""
        return f"receptive field: {self.model.receptive_field().describe()}"

    @property
    def num_seen(self) -> str:
        """The number of pixels of the receptive field in words; it may grow with the image."""
        field = self.model.receptive_field()
        return f"{len(field.offsets):,} pixels" if field.is_bounded else "all earlier"

    @property
    def training_seconds(self) -> float | None:
        """Seconds of all epochs; None if unknown."""
        seconds = self.training.get("seconds")
        return float(seconds) if isinstance(seconds, int | float) else None


def config_differences(variants: Sequence[Variant]) -> dict[str, list[Any]]:
    """The settings in which runs differ, with the value of each variant; None where not set.

    Variants whose settings are unknown differ in none.
    """
    keys = dict.fromkeys(key for variant in variants for key in variant.settings)
    values = {
        key: [variant.settings.get(key) for variant in variants]
        for key in keys
        if key not in INCIDENTAL
    }
    known = [place for place, variant in enumerate(variants) if variant.settings]
    return {
        key: each for key, each in values.items() if any(each[p] != each[known[0]] for p in known)
    }


def in_words(value: Any) -> str:
    """The value of a setting as text."""
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
