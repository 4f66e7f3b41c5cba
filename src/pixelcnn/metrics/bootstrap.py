"""How far a mean over images would move if other images had been drawn."""

from typing import NamedTuple

import torch
from torch import Tensor

from pixelcnn.errors import ConfigError, ShapeError

RESAMPLES = 2_000
SEED = 20_160_119


class Interval(NamedTuple):
    """The ends of an interval, in the unit of what was averaged."""

    low: float
    high: float


def bootstrap_interval(
    values: Tensor, *, level: float = 0.95, resamples: int = RESAMPLES, seed: int = SEED
) -> Interval:
    """A bootstrap percentile interval of a mean.

    The images are drawn again, with replacement, as many as there are; the interval holds the
    middle part of the means. Any increasing function of the mean has the same interval, with the
    function applied to its ends. Of differences between two models on the same images it is the
    interval of a paired bootstrap.

    Args:
        values: One number per image, such as its NLL in nats. Shape: (N,).
        level: The part of the means that the interval holds, in (0, 1).
        resamples: How often images are drawn again.
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
    if not 0 < level < 1 or resamples < 1:
        raise ConfigError(
            f"`level` must lie between 0 and 1 and `resamples` be at least 1, got {level} and "
            f"{resamples}."
        )
    values = values.cpu().double()
    generator = torch.Generator().manual_seed(seed)
    count = len(values)
    means = torch.stack(
        [
            values[torch.randint(count, (count,), generator=generator)].mean()
            for _ in range(resamples)
        ]
    )
    tail = (1 - level) / 2
    low, high = means.quantile(torch.tensor([tail, 1 - tail], dtype=torch.float64)).tolist()
    return Interval(low, high)
