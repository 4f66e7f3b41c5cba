"""Units of a negative log-likelihood."""

import math

import pytest

from pixelcnn.metrics import bits_per_dim, perplexity


@pytest.mark.parametrize("levels", [2, 17, 256])
def test_uniform_guessing_takes_the_logarithm_of_the_levels(levels):
    nll_nats = 12 * math.log(levels)
    assert bits_per_dim(nll_nats, 12) == pytest.approx(math.log2(levels))
    assert perplexity(nll_nats, 12) == pytest.approx(levels)


def test_certainty_takes_no_bits():
    assert bits_per_dim(0.0, 5) == 0
    assert perplexity(0.0, 5) == 1


def test_the_perplexity_of_the_very_improbable_is_infinite():
    assert perplexity(1e6, 64) == math.inf
    assert perplexity(709.0, 1) < math.inf


def test_perplexity_is_two_to_the_bits():
    assert perplexity(100.0, 64) == pytest.approx(2 ** bits_per_dim(100.0, 64))
