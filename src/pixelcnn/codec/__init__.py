"""Lossless compression: the likelihood, on disk."""

from pixelcnn.codec.api import DecodedImages, compress, decompress
from pixelcnn.codec.archive import DecodedImage, PxcFile, opened
from pixelcnn.codec.coder import LevelDecoder, LevelEncoder
from pixelcnn.codec.entropy_model import ENTROPY_MODELS, EntropyModel, MachineBound
from pixelcnn.codec.frequencies import PRECISION_BITS, level_frequencies
from pixelcnn.codec.portable import Portable

__all__ = [
    "ENTROPY_MODELS",
    "PRECISION_BITS",
    "DecodedImage",
    "DecodedImages",
    "EntropyModel",
    "LevelDecoder",
    "LevelEncoder",
    "MachineBound",
    "Portable",
    "PxcFile",
    "compress",
    "decompress",
    "level_frequencies",
    "opened",
]
