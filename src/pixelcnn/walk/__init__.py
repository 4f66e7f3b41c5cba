"""Walking: one loop over the sub-pixels, exact and cached."""

from pixelcnn.walk.choosers import sampling_chooser, scoring_chooser
from pixelcnn.walk.cuda_graphs import RepeatedSampling, recorder_for
from pixelcnn.walk.filters import Filter
from pixelcnn.walk.guided import GuidedStepper, stepper_for
from pixelcnn.walk.noise import chain_noise, image_noise, sample_levels, seed_from
from pixelcnn.walk.options import Cond, SamplingKeywords, SamplingOptions
from pixelcnn.walk.precision import Precision, RoundedModel, in_precision
from pixelcnn.walk.stepper import CachedStepper, NaiveStepper, Stepper, Walkable
from pixelcnn.walk.walk import Chooser, visit, walk, walk_rows

__all__ = [
    "CachedStepper",
    "Chooser",
    "Cond",
    "Filter",
    "GuidedStepper",
    "NaiveStepper",
    "Precision",
    "RepeatedSampling",
    "RoundedModel",
    "SamplingKeywords",
    "SamplingOptions",
    "Stepper",
    "Walkable",
    "chain_noise",
    "image_noise",
    "in_precision",
    "recorder_for",
    "sample_levels",
    "sampling_chooser",
    "scoring_chooser",
    "seed_from",
    "stepper_for",
    "visit",
    "walk",
    "walk_rows",
]
