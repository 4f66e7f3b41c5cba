"""Diagnostics of made-up chains have their known values."""

import numpy as np
import pytest

from pixelcnn.errors import ShapeError
from pixelcnn.inference.mcmc.diagnostics import average, diagnose


def autoregression(rho, *, chains=8, draws=2000, seed=0):
    """Chains of x_t = rho x_{t-1} + noise, whose autocorrelation time is (1 + rho) / (1 - rho)."""
    noise = np.random.default_rng(seed).normal(size=(chains, draws))
    x = noise.copy()
    x[:, 0] /= np.sqrt(1 - rho**2)
    for t in range(1, draws):
        x[:, t] += rho * x[:, t - 1]
    return x


@pytest.mark.parametrize(("rho", "expected"), [(0.0, 1.0), (0.5, 3.0), (0.8, 9.0)])
def test_the_autocorrelation_time_of_an_autoregression_is_found(rho, expected):
    found = diagnose(autoregression(rho))
    assert found.autocorrelation_time == pytest.approx(expected, rel=0.25)
    assert found.ess == pytest.approx(8 * 2000 / found.autocorrelation_time)
    assert 0.99 < found.rhat < 1.02


def test_chains_that_disagree_are_noticed():
    apart = autoregression(0.5) + np.arange(8)[:, None]
    assert diagnose(apart).rhat > 1.3
    assert diagnose(apart).ess < 100


def test_chains_constant_at_different_numbers_are_noticed():
    frozen = diagnose(np.repeat([[0.0], [1.0]], 50, axis=1))
    assert (frozen.rhat, frozen.ess) == (float("inf"), 1.0)


def test_what_never_changes_is_known_exactly():
    constant = diagnose(np.full((3, 20), 0.25))
    assert (constant.rhat, constant.ess, constant.autocorrelation_time) == (1.0, 60.0, 1.0)
    found = average(np.full((3, 20, 2), 0.5))
    assert found.mean.tolist() == [0.5, 0.5] and found.stderr.tolist() == [0.0, 0.0]


def test_the_error_of_an_average_is_that_of_its_draws():
    # An autocorrelation time of 3 makes the variance three times that of independent draws.
    series = autoregression(0.5, chains=100, draws=100)
    series = np.stack([series, -series], 2) / 100 + 0.5
    found = average(series)
    expected = series[:, :, 0].std() * np.sqrt(3 / series[:, :, 0].size)
    assert found.stderr == pytest.approx([expected, expected], rel=0.25)
    assert found.degrees == 99
    assert np.abs(found.mean - 0.5).max() < 4 * expected


def test_rare_levels_do_not_decide():
    series = np.full((4, 50, 3), 0.5)
    series[:, :, 2] = 0
    series[0, :, 2] = 1e-5
    assert average(series).diagnostics.rhat == 1.0


@pytest.mark.parametrize("shape", [(5,), (2, 3), (2, 3, 4)])
def test_what_is_no_series_is_refused(shape):
    with pytest.raises(ShapeError, match="`series` must be"):
        diagnose(np.zeros(shape))


@pytest.mark.parametrize("shape", [(2, 10), (1, 10, 3)])
def test_an_average_needs_levels_and_several_chains(shape):
    with pytest.raises(ShapeError, match="levels"):
        average(np.zeros(shape))


def test_two_values_as_far_from_their_median_are_judged_by_the_bulk():
    assert diagnose(np.tile([0.0, 1.0], (4, 8))).rhat < 1.1
