"""Asking a model: drawing images, how probable they are, and what is likely given what is known."""

from pixelcnn.inference.classify import ClassPosterior, classify
from pixelcnn.inference.conditional import conditional
from pixelcnn.inference.estimates import LevelEstimate, UntrustedWarning
from pixelcnn.inference.masks import fit_mask, is_prefix, known_mask, known_masks
from pixelcnn.inference.sampler import Growth, PixelCNNSampler
from pixelcnn.inference.score import Scores, score

__all__ = [
    "ClassPosterior",
    "Growth",
    "LevelEstimate",
    "PixelCNNSampler",
    "Scores",
    "UntrustedWarning",
    "classify",
    "conditional",
    "fit_mask",
    "is_prefix",
    "known_mask",
    "known_masks",
    "score",
]
