"""Every image of a tiny model, with its exact probability."""

import torch
from torch import Tensor

from pixelcnn.models import AutoregressiveModel
from tests.laws.test_mass import every_image


class Listed:
    """Every image of a model, with its exact probability.

    Args:
        model: With a size of its own.
    """

    def __init__(self, model: AutoregressiveModel) -> None:
        spec = model.spec
        self.shape, self.levels = spec.shape, spec.levels
        self.images = every_image(spec.channels, spec.levels, (spec.height, spec.width))
        with torch.no_grad():
            self.probabilities = model.log_prob(self.images).exp()
        count = self.images[0].numel()
        self.place = spec.levels ** torch.arange(count).flip(0)

    def index(self, x: Tensor) -> Tensor:
        """Where images (B, C, H, W) are in the list. (B,)."""
        return (x.flatten(1) * self.place).sum(1)

    def with_level(self, x: Tensor, site: tuple[int, int, int], level: Tensor | int) -> Tensor:
        """Index of each image (B, C, H, W) with another level (B,) at one place. (B,)."""
        x = x.clone()
        x[(slice(None), *site)] = level
        return self.index(x)

    def full_conditional(self, x: Tensor, site: tuple[int, int, int]) -> Tensor:
        """Exact probabilities of the levels at a site given all others. (B, K)."""
        found = [
            self.probabilities[self.with_level(x, site, level)] for level in range(self.levels)
        ]
        weights = torch.stack(found, 1)
        return weights / weights.sum(1, keepdim=True)

    def posterior(self, x: Tensor, known: Tensor) -> Tensor:
        """Exact probability of each listed image, given the known part of x (C, H, W)."""
        fits = (self.images[:, known] == x[known]).all(1)
        weights = self.probabilities * fits
        return weights / weights.sum()
