"""Asking a model: drawing images, and how probable they are."""

from pixelcnn.inference.classify import ClassPosterior, classify
from pixelcnn.inference.sampler import Growth, PixelCNNSampler
from pixelcnn.inference.score import Scores, score

__all__ = [
    "ClassPosterior",
    "Growth",
    "PixelCNNSampler",
    "Scores",
    "classify",
    "score",
]
