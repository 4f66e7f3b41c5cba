"""Layers that are causal in raster order, over whole images and along a walk."""

from pixelcnn.nn.attention import CausalAttention
from pixelcnn.nn.condition import Condition, ConditionBias
from pixelcnn.nn.conv import MaskedConv2d
from pixelcnn.nn.cursor import Cursor
from pixelcnn.nn.embed import PixelInput
from pixelcnn.nn.gate import GATE_GAIN, gate, halves
from pixelcnn.nn.masks import MaskKind, raster_mask
from pixelcnn.nn.norm import Norm, NormKind
from pixelcnn.nn.receptive import Offsets, ReceptiveField, through, window, window_above
from pixelcnn.nn.stacks import HorizontalConv, VerticalConv

__all__ = [
    "GATE_GAIN",
    "CausalAttention",
    "Condition",
    "ConditionBias",
    "Cursor",
    "HorizontalConv",
    "MaskKind",
    "MaskedConv2d",
    "Norm",
    "NormKind",
    "Offsets",
    "PixelInput",
    "ReceptiveField",
    "VerticalConv",
    "gate",
    "halves",
    "raster_mask",
    "through",
    "window",
    "window_above",
]
