"""Probabilities of all images sum to one, and draws follow them."""

import itertools

import pytest
import torch
from scipy.stats import chisquare
from torch import Tensor

from pixelcnn.walk import CachedStepper, sampling_chooser, walk
from tests.laws.zoo import cases, condition_for, slow_but


def every_image(channels: int, levels: int, size: tuple[int, int]) -> Tensor:
    """All images of a tiny size. (K ** (C × H × W), C, H, W)."""
    num_dims = channels * size[0] * size[1]
    images = list(itertools.product(range(levels), repeat=num_dims))
    return torch.tensor(images).view(-1, channels, *size)


def tiny_size(model) -> tuple[int, int]:
    return (2, 2) if model.in_channels == 1 else (1, 2)


def same_cond(model, count: int, size: tuple[int, int]) -> Tensor | None:
    """One condition for all images."""
    cond = condition_for(model, 1, size)
    return None if cond is None else cond.expand(count, *cond.shape[1:])


def test_mass_is_one(model):
    size = tiny_size(model)
    x = every_image(model.in_channels, model.num_classes, size)
    mass = model.log_prob(x, same_cond(model, len(x), size)).exp().sum()
    torch.testing.assert_close(mass, torch.ones_like(mass), rtol=0, atol=1e-10)


# Walks of all variants have the logits of a pass: one of each architecture is sampled by default.
@pytest.mark.parametrize("model", slow_but(lambda case: "0-" in case.id, cases()), indirect=True)
def test_draws_follow_the_exact_probabilities(model):
    # A right sampler fails with probability 1e-6 for each model; the seed is fixed.
    size, count = tiny_size(model), 10_000
    x = every_image(model.in_channels, model.num_classes, size)
    exact = model.log_prob(x, same_cond(model, len(x), size)).exp()
    drawn = model.blank(count, (model.in_channels, *size))
    walk(
        CachedStepper(model),
        drawn,
        sampling_chooser(drawn, seed=11),
        cond=same_cond(model, count, size),
    )
    assert fit(drawn, exact.detach(), model.num_classes) > 1e-6


def fit(drawn: Tensor, exact: Tensor, levels: int) -> float:
    """Chance that draws of these probabilities look so unlikely: the p-value of chi-square.

    Args:
        drawn: Images. (N, C, H, W).
        exact: Probability of each image, in the order of `every_image`.
        levels: K.
    """
    place = levels ** torch.arange(drawn[0].numel()).flip(0)
    counts = torch.bincount((drawn.flatten(1) * place).sum(1), minlength=len(exact)).double()
    assert counts[exact == 0].sum() == 0, "an impossible image was drawn"
    counts, expected = counts[exact > 0], len(drawn) * exact[exact > 0]
    rare = expected < 5  # a cell of its own: chi-square wants no small expectations
    if rare.any():
        counts = torch.cat([counts[~rare], counts[rare].sum()[None]])
        expected = torch.cat([expected[~rare], expected[rare].sum()[None]])
    return float(chisquare(counts.numpy(), expected.numpy()).pvalue)
