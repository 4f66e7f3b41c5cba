"""Walking: one loop over the sub-pixels, exact and cached."""

from pixelcnn.walk.choosers import drawing, reading
from pixelcnn.walk.cuda_graphs import RepeatedSampling, recorder_for
from pixelcnn.walk.filters import Filter
from pixelcnn.walk.guided import GuidedStepper, stepper_for
from pixelcnn.walk.noise import chain_noise, draw, draw_seed, image_noise
from pixelcnn.walk.stepper import CachedStepper, NaiveStepper, Stepper, Walkable
from pixelcnn.walk.walk import Chooser, walk, walk_rows

__all__ = [
    "CachedStepper",
    "Chooser",
    "Filter",
    "GuidedStepper",
    "NaiveStepper",
    "RepeatedSampling",
    "Stepper",
    "Walkable",
    "chain_noise",
    "draw",
    "draw_seed",
    "drawing",
    "image_noise",
    "reading",
    "recorder_for",
    "stepper_for",
    "walk",
    "walk_rows",
]
