"""Layers that are causal in raster order, over whole images and along a walk."""

from pixelcnn.nn.attention.background import BackgroundAttention
from pixelcnn.nn.attention.causal import CausalAttention
from pixelcnn.nn.blocks.activations import GATE_GAIN, concat_elu, gate, halves
from pixelcnn.nn.blocks.gated_layers import HorizontalLayer, Link, VerticalLayer, Writes
from pixelcnn.nn.blocks.residual import GatedResidual
from pixelcnn.nn.blocks.two_streams import TwoStreams
from pixelcnn.nn.condition import Condition, ConditionBias
from pixelcnn.nn.convolutions.masked import MaskedConv2d
from pixelcnn.nn.convolutions.masks import raster_mask
from pixelcnn.nn.convolutions.shifted import DownConv, DownRightConv
from pixelcnn.nn.convolutions.stacks import HorizontalConv, VerticalConv
from pixelcnn.nn.convolutions.transposed import DownRightTransposed, DownTransposed
from pixelcnn.nn.convolutions.weight_norm import WeightNormed, standardise
from pixelcnn.nn.cursor import Cursor, reordered
from pixelcnn.nn.embed import PixelInput, with_ones
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
    "Writes",
    "concat_elu",
    "gate",
    "halves",
    "place",
    "raster_mask",
    "reordered",
    "standardise",
    "through",
    "widen",
    "window",
    "window_above",
    "with_ones",
]
