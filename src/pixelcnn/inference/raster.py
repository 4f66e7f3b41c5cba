"""Completions in raster order, which see what is known before them and nothing else."""

import torch

from pixelcnn.inference.completions import Completions, numbers, ranked
from pixelcnn.inference.estimates import effective
from pixelcnn.inference.masks import is_prefix
from pixelcnn.inference.query import Query
from pixelcnn.inference.smc.particles import Particles
from pixelcnn.walk import image_noise


def raster(question: Query, num_completions: int) -> Completions:
    """Draws what is unknown in order, given what comes before it.

    Exact where everything known comes before everything unknown. Elsewhere what is known further
    on does not inform the draws; `diagnostics["ess"]` says how many of them would be left if it
    weighed them, and a warning names the images.

    Args:
        question: About any number of images.
        num_completions: M, of each.
    """
    given, known, cond = question.repeated(num_completions)
    drawn, weights = [], []
    for first in range(0, len(given), question.batch_size):
        part = slice(first, first + question.batch_size)
        size = len(given[part])
        noise = image_noise(question.seed, first, size, *given.shape[1:])
        particles = Particles(given[part], known[part], noise, population=1)
        particles.walk(question.model, None if cond is None else cond[part])
        drawn.append(particles.x.cpu())
        weights.append(particles.log_weights.cpu())
        question.report(first + size, len(given))
    images = torch.cat(drawn).unflatten(0, (-1, num_completions))
    blind = ~is_prefix(question.known.cpu())
    doubts: tuple[str, ...] = ()
    if blind.any():
        doubts = (
            f"'raster' does not see what is known further on in the order ({numbers(blind)}): "
            f"these are no draws given all that is known. Use 'smc' or 'gibbs'.",
        )
    ess = effective(torch.cat(weights).view(-1, num_completions))
    return ranked(question, images, method="raster", diagnostics={"ess": ess}, warnings=doubts)
