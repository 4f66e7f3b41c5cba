"""Logits become integers that sum to 2**24, in order, with no level at zero."""

import math
from fractions import Fraction

import pytest
import torch

from pixelcnn.codec.frequencies import DEPTH_BITS, PRECISION_BITS, _weights, level_frequencies
from pixelcnn.errors import ConfigError

TOTAL = 2**PRECISION_BITS


def random_logits(num_levels: int, rows: int = 50) -> torch.Tensor:
    scales = torch.logspace(-3, 3, rows)[:, None]
    return torch.randn(rows, num_levels, generator=torch.Generator().manual_seed(1)) * scales


@pytest.mark.parametrize("num_levels", [2, 3, 17, 256, 65_536])
def test_sums_are_exact_and_no_level_has_zero(num_levels):
    found = level_frequencies(random_logits(num_levels, 4 if num_levels > 1000 else 50))
    assert (found.sum(1) == TOTAL).all()
    assert found.min() >= 1


def test_a_larger_logit_never_has_a_smaller_frequency():
    logits = random_logits(256)
    ordered = level_frequencies(logits).gather(1, logits.argsort(1))
    assert (ordered.diff(dim=1) >= 0).all()


def test_the_rounding_is_the_documented_one():
    logits = random_logits(17, 20).double()
    for row, found in zip(logits.tolist(), level_frequencies(logits).tolist(), strict=True):
        top = max(row)
        steps = [min(round((top - each) * (256 / math.log(2))), 28 * 256 + 1) for each in row]
        weights = [floor_of_power(each) for each in steps]
        expected = [1 + weight * (TOTAL - 17) // sum(weights) for weight in weights]
        expected[row.index(top)] += TOTAL - sum(expected)
        assert found == expected


def floor_of_power(step: int) -> int:
    """floor(2**(28 - step / 256)): the largest w with w**256 <= 2**(256 × 28 - step)."""
    if step > DEPTH_BITS * 256:
        return 0
    near = int(2 ** (DEPTH_BITS - step / 256))
    return next(w for w in (near + 1, near, near - 1) if w**256 <= 2 ** (256 * DEPTH_BITS - step))


def test_the_table_of_weights_is_exact():
    numbers = [*range(0, 300, 7), *range(5000, 7170, 111), 7167, 7168, 7169]
    assert [int(_weights()[n]) for n in numbers] == [floor_of_power(n) for n in numbers]


def test_blocks_and_batches_do_not_matter():
    logits = random_logits(256, 600)
    one_by_one = torch.cat([level_frequencies(row[None]) for row in logits[::50]])
    assert level_frequencies(logits)[::50].equal(one_by_one)


def test_the_cost_of_rounding_is_below_a_thousandth_of_a_bit():
    logits = random_logits(256).double()
    log_prob = logits.log_softmax(1)
    frequency = level_frequencies(logits).double() / TOTAL
    excess = (log_prob.exp() * (log_prob / math.log(2) - frequency.log2())).sum(1)
    assert excess.max() < 1e-3


def test_a_level_of_no_mass_can_still_be_coded():
    found = level_frequencies(torch.tensor([[0.0, -torch.inf, -1e30]]))
    assert found.tolist() == [[TOTAL - 2, 1, 1]]


@pytest.mark.parametrize("row", [[torch.nan, 0.0], [torch.inf, 0.0], [-torch.inf, -torch.inf]])
def test_logits_must_be_finite_at_the_top(row):
    with pytest.raises(ConfigError, match="finite logits"):
        level_frequencies(torch.tensor([row]))


def test_shares_are_those_of_exact_fractions():
    found = level_frequencies(torch.tensor([[1.0, 1.0, 1.0]]))
    third = int(Fraction(TOTAL - 3, 3))
    assert found.tolist() == [[third + 1 + (TOTAL - 3 - 3 * third), third + 1, third + 1]]
