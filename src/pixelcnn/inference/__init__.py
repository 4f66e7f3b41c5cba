"""Inference: sampling, scoring, conditionals, completions and classification."""

from pixelcnn.inference.classify import ClassPosterior, classify
from pixelcnn.inference.complete import complete
from pixelcnn.inference.completions import Completions
from pixelcnn.inference.conditional import conditional
from pixelcnn.inference.estimates import LevelEstimate, UnreliableEstimateWarning
from pixelcnn.inference.expectation import Expectation, expectation
from pixelcnn.inference.marginal import Marginal, marginal
from pixelcnn.inference.masks import fit_mask, is_prefix, known_mask, known_masks
from pixelcnn.inference.mcmc.diagnostics import ChainDiagnostics, diagnose
from pixelcnn.inference.mcmc.gibbs import GibbsChains, Move, full_conditional
from pixelcnn.inference.memory import WalkMemory, walk_memory
from pixelcnn.inference.sampling import PartialSamples, PixelCNNSampler
from pixelcnn.inference.scoring import Scores, densities, score, score_unconditionally

__all__ = [
    "ChainDiagnostics",
    "ClassPosterior",
    "Completions",
    "Expectation",
    "GibbsChains",
    "LevelEstimate",
    "Marginal",
    "Move",
    "PartialSamples",
    "PixelCNNSampler",
    "Scores",
    "UnreliableEstimateWarning",
    "WalkMemory",
    "classify",
    "complete",
    "conditional",
    "densities",
    "diagnose",
    "expectation",
    "fit_mask",
    "full_conditional",
    "is_prefix",
    "known_mask",
    "known_masks",
    "marginal",
    "score",
    "score_unconditionally",
    "walk_memory",
]
