"""Bootstrap confidence intervals of means over images."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from pixelcnn.arguments import whole_number
from pixelcnn.errors import ConfigError, ShapeError

RESAMPLES = 2_000
LEAST_BEYOND = 20  # resampled means beyond either end: with fewer, the ends would be too near
SEED = 20_160_119
BATCH = 50  # resamples held at once: it bounds the memory


class Interval(NamedTuple):
    """The ends of an interval, in the unit of the mean."""

    low: float
    high: float


def bootstrap_interval(
    values: Tensor, *, level: float = 0.95, resamples: int | None = None, seed: int = SEED
) -> Interval:
    """A bootstrap percentile interval of a mean.

    An increasing function of the mean has the same interval, with the function applied to its
    ends. Of differences between two models on the same images it is a paired bootstrap interval.

    Args:
        values: One number per image, such as its NLL in nats. Shape: (N,).
        level: Confidence level, in (0, 1).
        resamples: Number of resamples. None: see `resamples_for`.
        seed: Of the resamples; it is fixed, so the same values have the same interval.

    Returns:
        The ends. With one value both are that value.

    Raises:
        ShapeError: If `values` is not (N,) with N > 0.
        ConfigError: If `level` or `resamples` is out of range.

    References:
        An Introduction to the Bootstrap (Efron and Tibshirani, 1993), section 13.3.

    Example:
        >>> low, high = bootstrap_interval(torch.arange(100.0))  # mean 49.5, standard error 2.9
        >>> 43 < low < 45 and 54 < high < 56
        True
    """
    if values.ndim != 1 or not len(values):
        raise ShapeError(f"`values` must have shape (N,) with N > 0, got {tuple(values.shape)}.")
    needed = resamples_for(level)
    count = needed if resamples is None else whole_number("resamples", resamples)
    if len(values) == 1:
        return Interval(values.item(), values.item())
    from scipy.stats import bootstrap  # type: ignore[import-untyped]  # here: slow to import

    found = bootstrap(
        (values.cpu().double().numpy(),),
        np.mean,
        n_resamples=count,
        batch=BATCH,
        confidence_level=level,
        method="percentile",
        random_state=np.random.default_rng(seed),
    ).confidence_interval
    return Interval(float(found.low), float(found.high))


def resamples_for(level: float) -> int:
    """How many resamples an interval of this level takes: 20 means beyond either end, or 2,000.

    Raises:
        ConfigError: If `level` is out of range.

    Example:
        >>> resamples_for(0.95), resamples_for(1 - 0.05 / 10)
        (2000, 8000)
    """
    if not 0 < level < 1:
        raise ConfigError(f"`level` must lie between 0 and 1, got {level}.")
    return max(RESAMPLES, round(2 * LEAST_BEYOND / (1 - level)))


def resampled_means(values: Tensor, resamples: int, *, seed: int = SEED) -> Tensor:
    """Means over resampled images: as many as there are, with replacement.

    All columns share the resamples, so differences of columns are paired. `scipy.stats.bootstrap`
    cannot share resamples between the intervals of several statistics.

    Args:
        values: One number per image, or several. (N, …).
        resamples: Number of resamples.
        seed: Of the resamples.

    Returns:
        (resamples, …), float64.

    Raises:
        ConfigError: If `resamples` is below 1.
    """
    values, count = values.cpu().double(), len(values)
    generator = torch.Generator().manual_seed(seed)
    means = [
        values[torch.randint(count, (count,), generator=generator)].mean(0)
        for _ in range(whole_number("resamples", resamples))
    ]
    return torch.stack(means)


def percentile_interval(means: Tensor, level: float) -> Interval:
    """The ends of the middle part of resampled means (R,)."""
    tail = (1 - level) / 2
    low, high = means.quantile(torch.tensor([tail, 1 - tail], dtype=torch.float64)).tolist()
    return Interval(low, high)
