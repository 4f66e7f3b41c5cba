"""Diagnostics of Markov chains, and averages along them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pixelcnn.errors import ShapeError

MIN_DRAWS = 4
"""Each half of a chain needs two."""
RARE = 1e-3
"""Levels less probable than this are left out of the diagnostics."""
ROUNDING = 1e-6
"""A series that varies by no more than this share is constant: predictions are rounded."""

Floats = NDArray[np.float64]


class ChainDiagnostics(NamedTuple):
    """Convergence diagnostics of one number along several chains.

    Attributes:
        rhat: Spread of all draws over the spread within each half chain, of ranks and of their
            distance from the middle, the worse; 1 for chains that agree, infinite for chains
            that are constant at different numbers.
        ess: Effective sample size: independent draws with the same error of the mean.
        autocorrelation_time: Draws for each effective draw.
    """

    rhat: float
    ess: float
    autocorrelation_time: float


class ChainAverage(NamedTuple):
    """Mean of distributions along several chains, with its error.

    Attributes:
        mean: (K,).
        stderr: Standard error of the mean, from the means of the chains, which are independent.
            (K,).
        degrees: Degrees of freedom of the standard error: chains less one.
        diagnostics: The worst of those of all levels that are not rare.
    """

    mean: Floats
    stderr: Floats
    degrees: int
    diagnostics: ChainDiagnostics


def diagnose(series: ArrayLike) -> ChainDiagnostics:
    """Diagnostics of one number along several chains, by ArviZ.

    Args:
        series: One row a chain. (chains, draws), at least 4 draws.

    Raises:
        ShapeError: If the series has another shape or is too short.

    References:
        Rank-Normalization, Folding, and Localization: An Improved R-hat for Assessing Convergence
        of MCMC (Vehtari et al., 2021), sections 3 and 4. https://arxiv.org/abs/1903.08008

    Example:
        >>> agree = np.random.default_rng(0).normal(size=(4, 250))
        >>> found = diagnose(agree)
        >>> round(found.rhat, 2), 700 < found.ess < 1300
        (1.0, True)
        >>> diagnose(agree + [[0], [0], [0], [2]]).rhat > 1.2
        True
    """
    # Only chains need it, and it takes its time to import.
    from arviz_stats.base import array_stats

    draws = np.asarray(series, dtype=np.float64)
    if draws.ndim != 2 or draws.shape[1] < MIN_DRAWS:
        raise ShapeError(
            f"`series` must be (chains, draws) with at least {MIN_DRAWS} draws, got {draws.shape}."
        )
    tolerance = ROUNDING * max(1.0, float(np.abs(draws).max()))
    if np.ptp(draws) <= tolerance:
        return ChainDiagnostics(1.0, float(draws.size), 1.0)
    if (np.ptp(draws, axis=1) <= tolerance).all():
        return ChainDiagnostics(float("inf"), 1.0, float(draws.size))
    ess = float(array_stats.ess(draws, method="mean"))
    # Of values that all lie as far from their median the tails say nothing: the bulk decides.
    with np.errstate(invalid="ignore"):
        rhat = float(array_stats.rhat(draws, method="rank"))
    return ChainDiagnostics(rhat, ess, draws.size / ess)


def average(series: ArrayLike) -> ChainAverage:
    """Averages distributions along several chains.

    Args:
        series: Probabilities by level. (chains, draws, K), at least 2 chains of 4 draws.

    Raises:
        ShapeError: If the series has another shape or is too short.

    References:
        Sampling-Based Approaches to Calculating Marginal Densities (Gelfand & Smith, 1990),
        section 2.3: averaging full conditionals instead of counting draws.

    Example:
        >>> found = average([[[0.1, 0.9]] * 4, [[0.3, 0.7]] * 4])
        >>> found.mean.round(3).tolist(), found.stderr.round(3).tolist(), found.degrees
        ([0.2, 0.8], [0.1, 0.1], 1)
    """
    draws = np.asarray(series, dtype=np.float64)
    if draws.ndim != 3 or len(draws) < 2:
        raise ShapeError(
            f"`series` must be (chains, draws, levels) with at least 2 chains, got {draws.shape}."
        )
    mean = draws.mean((0, 1))
    found = [diagnose(draws[:, :, level]) for level in np.flatnonzero(mean >= RARE)]
    worst = ChainDiagnostics(
        max(level.rhat for level in found),
        min(level.ess for level in found),
        max(level.autocorrelation_time for level in found),
    )
    stderr = draws.mean(1).std(0, ddof=1) / np.sqrt(len(draws))
    return ChainAverage(mean, stderr, len(draws) - 1, worst)
