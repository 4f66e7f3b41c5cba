"""How far a mean over images would move if other images had been drawn."""

from typing import NamedTuple

import torch
from torch import Tensor

from pixelcnn.errors import ConfigError, ShapeError

RESAMPLES = 2_000
LEAST_BEYOND = 20  # means beyond either end of an interval: of fewer, its ends would be too near
SEED = 20_160_119


class Interval(NamedTuple):
    """The ends of an interval, in the unit of what was averaged."""

    low: float
    high: float


def bootstrap_interval(
    values: Tensor, *, level: float = 0.95, resamples: int | None = None, seed: int = SEED
) -> Interval:
    """A bootstrap percentile interval of a mean.

    The images are drawn again, with replacement, as many as there are; the interval holds the
    middle part of the means. Any increasing function of the mean has the same interval, with the
    function applied to its ends. Of differences between two models on the same images it is the
    interval of a paired bootstrap.

    Args:
        values: One number per image, such as its NLL in nats. Shape: (N,).
        level: The part of the means that the interval holds, in (0, 1).
        resamples: How often images are drawn again. None: 2,000 times, or as often as it takes for
            20 means to lie beyond either end.
        seed: Of these draws; it is fixed, so that the same values have the same interval.

    Returns:
        The ends. Of one value alone both are that value.

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
    means = resampled_means(values, needed if resamples is None else resamples, seed=seed)
    return middle(means, level)


def resamples_for(level: float) -> int:
    """How often images are drawn again for an interval of this level.

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
    """Means over images that are drawn again, with replacement, as many as there are.

    Columns share the draws: the difference of two is what the difference of their values gives.

    Args:
        values: One number per image, or several. (N, …).
        resamples: How often images are drawn again.
        seed: Of these draws.

    Returns:
        (resamples, …), float64.

    Raises:
        ConfigError: If `resamples` is below 1.
    """
    if resamples < 1:
        raise ConfigError(f"`resamples` must be at least 1, got {resamples}.")
    values = values.cpu().double()
    generator = torch.Generator().manual_seed(seed)
    count = len(values)
    return torch.stack(
        [
            values[torch.randint(count, (count,), generator=generator)].mean(0)
            for _ in range(resamples)
        ]
    )


def middle(means: Tensor, level: float) -> Interval:
    """The ends of the middle part of resampled means. (R,)."""
    tail = (1 - level) / 2
    low, high = means.quantile(torch.tensor([tail, 1 - tail], dtype=torch.float64)).tolist()
    return Interval(low, high)
