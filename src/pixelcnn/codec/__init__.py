"""Lossless compression: the likelihood, on disk."""

from pixelcnn.codec.coder import LevelDecoder, LevelEncoder
from pixelcnn.codec.entropy_model import EntropyModel, MachineBound
from pixelcnn.codec.frequencies import PRECISION_BITS, level_frequencies

__all__ = [
    "PRECISION_BITS",
    "EntropyModel",
    "LevelDecoder",
    "LevelEncoder",
    "MachineBound",
    "level_frequencies",
]
