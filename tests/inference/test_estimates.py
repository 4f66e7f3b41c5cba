import math

import pytest
import torch

from pixelcnn.inference import LevelEstimate, UnreliableEstimateWarning
from pixelcnn.inference.estimates import (
    effective_sample_size,
    exact_estimate,
    from_weighted,
    reliability_warnings,
)


def estimate(log_weights, shares, **options):
    options = {"method": "importance", "num_draws": len(shares), **options}
    return from_weighted(log_weights, shares, **options)


def test_equal_weights_give_the_mean_and_its_standard_error():
    shares = torch.rand(50, 3, dtype=torch.float64)
    shares /= shares.sum(1, keepdim=True)
    found = estimate(torch.full((50,), -900.0), shares)
    torch.testing.assert_close(found.probabilities, shares.mean(0))
    torch.testing.assert_close(found.stderr, shares.std(0) / math.sqrt(50))
    assert found.ess == pytest.approx(50) and found.degrees == 49
    assert found.diagnostics["log_evidence"] == pytest.approx(-900)
    assert found.is_reliable and not found.is_exact


def test_weights_may_span_any_range():
    shares = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    log_weights = torch.tensor([0.0, math.log(3), float("-inf")]).double() - 5000
    found = estimate(log_weights, shares)
    assert found.probabilities.tolist() == pytest.approx([0.25, 0.75])
    assert found.ess == pytest.approx(16 / 10)
    assert found.diagnostics["log_evidence"] == pytest.approx(-5000 + math.log(4 / 3))


def test_intervals_of_weighted_means_cover_the_exact_value():
    # The count of 1,000 intervals that cover is in 920 … 975 but for 1e-4 of all runs; the seed
    # is fixed. Level 1 has probability E[w f] / E[w].
    generator = torch.Generator().manual_seed(4)
    uniform = torch.rand(1000, 200, generator=generator, dtype=torch.float64)
    shares = torch.stack([1 - uniform, uniform], 2)
    exact = (1 / 2 + 1 / 3) / (1 + 1 / 2)
    covered = 0
    for row, share in zip(uniform, shares, strict=True):
        low, high = estimate((1 + row).log(), share).interval()
        covered += bool(low[1] <= exact <= high[1])
    assert 920 <= covered <= 975


def test_a_level_that_was_never_drawn_still_has_an_error():
    drawn = torch.eye(3)[torch.tensor([0, 1] * 50)]
    expected = estimate(torch.zeros(100), drawn)
    counted = estimate(torch.zeros(100), drawn, num_counted=100)
    assert expected.stderr[2] == 0
    assert counted.stderr[2] == pytest.approx(0.015)
    assert counted.stderr[0] == expected.stderr[0]


def test_intervals_are_wide_where_parts_are_few_and_stay_within_0_and_1():
    half = torch.tensor([0.5, 0.5], dtype=torch.float64)
    few = LevelEstimate(half, half / 10, "smc", 100, 10.0, degrees=4)
    low, high = few.interval()
    assert high[0] - 0.5 == pytest.approx(2.776 * 0.05, rel=1e-3)
    low, high = LevelEstimate(half, half, "smc", 100, 10.0, degrees=4).interval()
    assert low.tolist() == [0, 0] and high.tolist() == [1, 1]


def test_uneven_weights_are_unreliable():
    log_weights = torch.zeros(1000)
    log_weights[0] = 20
    found = estimate(log_weights, torch.full((1000, 2), 0.5))
    assert not found.is_reliable
    with pytest.warns(UnreliableEstimateWarning, match="Unreliable: ESS 1.0 of 1000"):
        found.warn()
    estimate(torch.zeros(1000), torch.full((1000, 2), 0.5)).warn()


def test_one_part_has_no_standard_error():
    found = estimate(torch.zeros(1), torch.tensor([[0.5, 0.5]]))
    assert found.stderr.isnan().all() and not found.is_reliable


def test_few_parts_are_unreliable_however_even_their_weights():
    for num_parts in (2, 9, 10):
        found = estimate(torch.zeros(num_parts), torch.full((num_parts, 2), 0.5))
        assert found.is_reliable == (num_parts >= 10)
    assert found.ess == pytest.approx(10)


def test_effective_draws_go_from_one_to_all():
    assert effective_sample_size(torch.zeros(7)).item() == pytest.approx(7)
    assert effective_sample_size(torch.tensor([0.0, -800.0])).item() == pytest.approx(1)
    assert (
        reliability_warnings(10.0, 20) == ()
        and reliability_warnings(9.0, 20)
        and reliability_warnings(50.0, 10**6) == ()
    )


def test_certainty_has_no_error():
    found = exact_estimate(torch.tensor([0.1, 0.9]), num_draws=4, log_evidence=-2.0)
    assert found.is_exact and found.is_reliable and found.method == "exact"
    low, high = found.interval(0.999)
    assert torch.equal(low, found.probabilities) and torch.equal(high, found.probabilities)
