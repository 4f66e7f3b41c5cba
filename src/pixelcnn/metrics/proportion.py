"""How far a share of right answers would move if other images had been drawn."""

from statistics import NormalDist

from pixelcnn.errors import ConfigError
from pixelcnn.metrics.bootstrap import Interval


def wilson_interval(count: int, total: int, *, level: float = 0.95) -> Interval:
    """Wilson's score interval of a share.

    It has a width also where all or none are right, where the standard error is zero: of n right
    ones out of n, the lower end is n / (n + z²), for many images near 1 - 4 / n.

    Args:
        count: Right ones.
        total: All of them.
        level: The part of repeated trials in which the interval holds the true share, in (0, 1).

    Returns:
        The ends, within [0, 1].

    Raises:
        ConfigError: If there are fewer than `count`, or none, or `level` is out of range.

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
    z = NormalDist().inv_cdf((1 + level) / 2)
    share, weight = count / total, z * z / total
    middle = (share + weight / 2) / (1 + weight)
    half = (share * (1 - share) * weight + weight * weight / 4) ** 0.5 / (1 + weight)
    # Where all or none are right, an end is 1 or 0 up to rounding.
    low = 0.0 if count == 0 else middle - half
    return Interval(low, 1.0 if count == total else middle + half)
