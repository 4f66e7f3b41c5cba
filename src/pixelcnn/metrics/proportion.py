"""Confidence intervals of proportions."""

from pixelcnn.errors import ConfigError
from pixelcnn.metrics.bootstrap import Interval


def wilson_interval(count: int, total: int, *, level: float = 0.95) -> Interval:
    """Wilson's score interval of a proportion.

    Its width is above 0 also for 0 % and 100 %, where the standard error is 0.

    Args:
        count: Successes.
        total: Trials.
        level: Confidence level, in (0, 1).

    Returns:
        The ends, within [0, 1].

    Raises:
        ConfigError: If there are fewer trials than `count`, or none, or `level` is out of range.

    References:
        Probable Inference, the Law of Succession, and Statistical Inference (Wilson, 1927).
        Interval Estimation for a Binomial Proportion (Brown, Cai and DasGupta, 2001), section 3.

    Example:
        >>> [round(end, 3) for end in wilson_interval(2, 2)]
        [0.342, 1.0]
        >>> [round(end, 3) for end in wilson_interval(0, 100)]
        [0.0, 0.037]
    """
    if not 0 <= count <= total or total < 1 or not 0 < level < 1:
        raise ConfigError(
            f"`count` must be from 0 to `total`, `total` at least 1 and `level` between 0 and 1, "
            f"got {count}, {total} and {level}."
        )
    from scipy.stats import binomtest  # type: ignore[import-untyped]  # here: slow to import

    return Interval(*map(float, binomtest(count, total).proportion_ci(level, method="wilson")))
