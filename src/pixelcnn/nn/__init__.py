"""Layers that are causal in raster order, over whole images and along a walk."""

from pixelcnn.nn.condition import Condition, ConditionBias
from pixelcnn.nn.conv import MaskedConv2d
from pixelcnn.nn.cursor import Cursor
from pixelcnn.nn.embed import PixelInput
from pixelcnn.nn.masks import MaskKind, raster_mask
from pixelcnn.nn.norm import Norm, NormKind
from pixelcnn.nn.receptive import ReceptiveField, window

__all__ = [
    "Condition",
    "ConditionBias",
    "Cursor",
    "MaskKind",
    "MaskedConv2d",
    "Norm",
    "NormKind",
    "PixelInput",
    "ReceptiveField",
    "raster_mask",
    "window",
]
