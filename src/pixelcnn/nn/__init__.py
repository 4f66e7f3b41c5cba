"""Layers that are causal in raster order, over whole images and along a walk."""

from pixelcnn.nn.attention import CausalAttention
from pixelcnn.nn.background import BackgroundAttention
from pixelcnn.nn.condition import Condition, ConditionBias
from pixelcnn.nn.conv import MaskedConv2d
from pixelcnn.nn.cursor import Cursor, reorder_
from pixelcnn.nn.elu import concat_elu
from pixelcnn.nn.embed import PixelInput, with_ones
from pixelcnn.nn.gate import GATE_GAIN, gate, halves
from pixelcnn.nn.gated_layers import HorizontalLayer, Link, VerticalLayer
from pixelcnn.nn.masks import raster_mask
from pixelcnn.nn.norm import Norm, NormKind
from pixelcnn.nn.receptive import (
    Offsets,
    ReceptiveField,
    Seen,
    place,
    through,
    widen,
    window,
    window_above,
)
from pixelcnn.nn.residual import GatedResidual
from pixelcnn.nn.shifted import DownConv, DownRightConv
from pixelcnn.nn.stacks import HorizontalConv, VerticalConv
from pixelcnn.nn.transposed import DownRightTransposed, DownTransposed
from pixelcnn.nn.two_streams import TwoStreams
from pixelcnn.nn.weight_norm import WeightNormed, standardise

__all__ = [
    "GATE_GAIN",
    "BackgroundAttention",
    "CausalAttention",
    "Condition",
    "ConditionBias",
    "Cursor",
    "DownConv",
    "DownRightConv",
    "DownRightTransposed",
    "DownTransposed",
    "GatedResidual",
    "HorizontalConv",
    "HorizontalLayer",
    "Link",
    "MaskedConv2d",
    "Norm",
    "NormKind",
    "Offsets",
    "PixelInput",
    "ReceptiveField",
    "Seen",
    "TwoStreams",
    "VerticalConv",
    "VerticalLayer",
    "WeightNormed",
    "concat_elu",
    "gate",
    "halves",
    "place",
    "raster_mask",
    "reorder_",
    "standardise",
    "through",
    "widen",
    "window",
    "window_above",
    "with_ones",
]
