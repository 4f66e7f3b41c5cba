"""Architectures, behind one interface."""

from typing import Any

from pixelcnn.errors import ConfigError
from pixelcnn.models.base import AutoregressiveModel
from pixelcnn.models.gated import GatedPixelCNN
from pixelcnn.models.pixelcnn import PixelCNN
from pixelcnn.models.pixelcnnpp import PixelCNNPlusPlus
from pixelcnn.models.pixelsnail import PixelSNAIL
from pixelcnn.walk import Cond

MODELS: dict[str, type[AutoregressiveModel]] = {
    model.name: model for model in (PixelCNN, GatedPixelCNN, PixelCNNPlusPlus, PixelSNAIL)
}


def build(name: str, **options: Any) -> AutoregressiveModel:
    """Constructs an architecture by its name in `MODELS`.

    Raises:
        ConfigError: If there is no such architecture, or it refuses an option.

    Example:
        >>> build("pixelcnn", num_classes=4).likelihood.name
        'categorical'
    """
    if name not in MODELS:
        raise ConfigError(f"The model must be one of {', '.join(map(repr, MODELS))}, got {name!r}.")
    return MODELS[name](**options)


__all__ = [
    "MODELS",
    "AutoregressiveModel",
    "Cond",
    "GatedPixelCNN",
    "PixelCNN",
    "PixelCNNPlusPlus",
    "PixelSNAIL",
    "build",
]
