"""Intervals of proportions."""

import math

import pytest

from pixelcnn.errors import ConfigError
from pixelcnn.metrics import wilson_interval


def test_the_ends_solve_the_equation_of_the_score_test():
    # At either end the found share lies z standard errors from the true one (Wilson, 1927).
    for count, total in ((3, 10), (1, 2), (97, 100), (5, 5), (0, 7)):
        for end in wilson_interval(count, total):
            stderr = math.sqrt(end * (1 - end) / total)
            assert abs(count / total - end) == pytest.approx(1.959964 * stderr, abs=1e-6)


def test_the_interval_of_few_successes_is_wide():
    low, high = wilson_interval(2, 2)
    assert (round(low, 3), high) == (0.342, 1.0)
    assert wilson_interval(0, 2) == pytest.approx((1 - high, 1 - low))


def test_the_interval_covers_the_proportion_at_its_confidence_level():
    share, total = 0.9, 50
    held = 0.0
    for count in range(total + 1):
        low, high = wilson_interval(count, total)
        mass = math.comb(total, count) * share**count * (1 - share) ** (total - count)
        held += mass * (low <= share <= high)
    assert 0.93 < held < 0.98


@pytest.mark.parametrize("numbers", [(3, 2), (-1, 2), (0, 0)])
def test_impossible_counts_are_refused(numbers):
    with pytest.raises(ConfigError, match="`count` must be from 0 to `total`"):
        wilson_interval(*numbers)
