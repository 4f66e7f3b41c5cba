"""Bootstrap intervals of means."""

import math
from statistics import NormalDist

import pytest
import torch

from pixelcnn.errors import ConfigError, ShapeError
from pixelcnn.metrics import bootstrap_interval
from pixelcnn.metrics.bootstrap import percentile_interval, resampled_means, resamples_for


def test_it_is_the_normal_interval_where_the_mean_is_normal():
    values = torch.randn(4_000, generator=torch.Generator().manual_seed(1)) * 3 + 10
    low, high = bootstrap_interval(values)
    reach = 1.96 * values.std().item() / math.sqrt(len(values))
    assert low == pytest.approx(values.mean().item() - reach, abs=0.1 * reach)
    assert high == pytest.approx(values.mean().item() + reach, abs=0.1 * reach)


def test_it_covers_the_true_mean_at_about_its_confidence_level():
    generator = torch.Generator().manual_seed(0)
    hits = 0
    for _ in range(100):
        values = torch.empty(60, dtype=torch.float64).exponential_(1.0, generator=generator)
        low, high = bootstrap_interval(values, resamples=200)
        hits += low <= 1.0 <= high
    # At 93 %, which skewed values of this number give, outside of this with probability 1e-3.
    assert 82 <= hits <= 100


def test_narrow_tails_get_as_many_resamples_as_they_need():
    level = 1 - 0.05 / 45  # that of one of the pairs among ten models
    values = torch.randn(100, 40, generator=torch.Generator().manual_seed(0))
    reach = NormalDist().inv_cdf((1 + level) / 2) * values.std(0, correction=0) / 10
    means = resampled_means(values, resamples_for(level))
    widths = torch.tensor(
        [i.high - i.low for i in (percentile_interval(m, level) for m in means.T)]
    )
    # The mean of 80 ends is known to 0.3 %; of 2,000 means it would be 5 % too small.
    assert (widths / (2 * reach)).mean().item() == pytest.approx(1, abs=0.015)
    # Other resamples move an end of 20 means beyond it by 2 % of the reach.
    assert bootstrap_interval(values[:, 3], level=level) == pytest.approx(
        percentile_interval(means[:, 3], level), abs=0.1 * reach[3].item()
    )


def test_the_same_values_have_the_same_interval_and_a_wider_level_holds_a_narrower():
    values = torch.arange(50.0)
    assert bootstrap_interval(values) == bootstrap_interval(values)
    outer, inner = bootstrap_interval(values, level=0.99), bootstrap_interval(values, level=0.5)
    assert outer.low < inner.low < inner.high < outer.high


def test_one_value_has_an_interval_of_no_width():
    assert bootstrap_interval(torch.tensor([3.0])) == (3.0, 3.0)


def test_values_and_options_out_of_range_are_refused():
    with pytest.raises(ShapeError, match=r"\(0,\)"):
        bootstrap_interval(torch.zeros(0))
    with pytest.raises(ConfigError, match="level"):
        bootstrap_interval(torch.zeros(2), level=95)
    for resamples in (0, -1):
        with pytest.raises(ConfigError, match="resamples"):
            bootstrap_interval(torch.zeros(2), resamples=resamples)
    with pytest.raises(ConfigError, match="level"):
        bootstrap_interval(torch.zeros(2), level=1.0, resamples=5)
