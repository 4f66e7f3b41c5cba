"""Architectures, behind one interface."""

from typing import Any

from pixelcnn.models.base import AutoregressiveModel
from pixelcnn.models.gated import GatedPixelCNN
from pixelcnn.models.options import SharedOptions
from pixelcnn.models.pixelcnn import PixelCNN
from pixelcnn.models.pixelcnnpp import PixelCNNPlusPlus
from pixelcnn.models.pixelsnail import PixelSNAIL
from pixelcnn.registry import Registry
from pixelcnn.walk import Cond

MODELS: Registry[type[AutoregressiveModel]] = Registry("name", AutoregressiveModel)

register = MODELS.register
"""Class decorator: `@register("name")` makes an architecture known as `model.name`."""

register("pixelcnn")(PixelCNN)
register("gated")(GatedPixelCNN)
register("pixelcnnpp")(PixelCNNPlusPlus)
register("pixelsnail")(PixelSNAIL)


def build(name: str, **options: Any) -> AutoregressiveModel:
    """Constructs an architecture by its name in `MODELS`.

    Raises:
        ConfigError: If there is no such architecture, or it refuses an option.

    Example:
        >>> build("pixelcnn", num_classes=4).likelihood.name
        'categorical'
    """
    return MODELS.find(name)(**options)


__all__ = [
    "MODELS",
    "AutoregressiveModel",
    "Cond",
    "GatedPixelCNN",
    "PixelCNN",
    "PixelCNNPlusPlus",
    "PixelSNAIL",
    "SharedOptions",
    "build",
    "register",
]
