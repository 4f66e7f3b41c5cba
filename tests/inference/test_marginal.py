import math

import pytest
import torch

from pixelcnn.errors import ConfigError, ShapeError
from pixelcnn.inference import conditional, marginal
from pixelcnn.models import PixelCNN
from tests.inference.tiny import TINY, exact_levels, tiny_model


def blank(model):
    return torch.zeros(model.spec.shape, dtype=torch.int64)


@pytest.mark.parametrize("name", TINY)
def test_both_estimates_agree_with_the_exact_marginal_within_their_errors(name):
    # Five standard errors: 1e-6 for each level; the seed is fixed.
    model = tiny_model(name)
    channels, height, width = model.spec.shape
    site = (channels - 1, height - 1, width // 2)
    exact = exact_levels(model, site, blank(model), blank(model).bool())
    found = marginal(model, site, num_draws=1000)
    for estimate in (found.averaged, found.counted):
        assert ((estimate.probabilities - exact).abs() <= 5 * estimate.stderr + 1e-12).all()
        assert estimate.num_draws == 1000 and estimate.is_reliable
    assert found.variance_ratio > 1


def test_averaging_varies_less_than_counting_by_the_ratio_it_states():
    # Over 200 repeated runs; a ratio of two variances is known within 50 % but for 1e-5.
    model, site = tiny_model("binary"), (0, 2, 2)
    runs = [marginal(model, site, num_draws=40, seed=seed) for seed in range(200)]
    averaged = torch.stack([run.averaged.probabilities[1] for run in runs]).var()
    counted = torch.stack([run.counted.probabilities[1] for run in runs]).var()
    stated = torch.tensor([run.variance_ratio for run in runs]).median()
    assert counted / averaged == pytest.approx(float(stated), rel=0.5)


def test_the_first_sub_pixel_is_exact():
    model = tiny_model("rgb")
    found = marginal(model, (0, 0, 0), num_draws=10)
    exact = exact_levels(model, (0, 0, 0), blank(model), blank(model).bool())
    torch.testing.assert_close(found.averaged.probabilities, exact, rtol=0, atol=1e-12)
    assert found.averaged.is_exact and found.variance_ratio == float("inf")


def test_a_marginal_is_a_conditional_on_nothing():
    model, site = tiny_model("levels"), (0, 1, 1)
    given, known = blank(model), blank(model).bool()
    options = {"method": "importance", "num_draws": 50, "seed": 3}
    alone = conditional(model, site, given=given, known=known, **options)
    averaged = marginal(model, site, num_draws=50, seed=3).averaged
    assert torch.equal(alone.probabilities, averaged.probabilities)
    assert torch.equal(alone.stderr, averaged.stderr)


def test_neither_batches_nor_rows_below_change_the_estimate():
    model = PixelCNN(num_classes=3, num_labels=2, image_size=(6, 7), num_residual_blocks=1)
    calls = []
    options = {"num_draws": 20, "cond": 1, "seed": 2}
    found = marginal(model, (3, 2), batch_size=7, progress=lambda *n: calls.append(n), **options)
    assert calls == [(7, 20), (14, 20), (20, 20)]
    together = marginal(model, (3, 2), **options)
    torch.testing.assert_close(found.averaged.probabilities, together.averaged.probabilities)
    shorter = marginal(model, (3, 2), shape=(1, 6, 7), **options)
    assert torch.equal(shorter.counted.probabilities, together.counted.probabilities)


def test_sites_outside_the_image_are_refused():
    model = tiny_model("binary")
    for site in ((3, 0), (0, 3), (1, 0, 0), (0, 0, -1), (0,), (0, 0, 0, 0)):
        with pytest.raises(ShapeError, match=r"`site` must be .* 0 ≤ row < 3"):
            marginal(model, site)
    with pytest.raises(ShapeError, match="got \\(0, 0\\)"):
        marginal(tiny_model("rgb"), (0, 0))
    with pytest.raises(ConfigError, match="num_draws"):
        marginal(model, (0, 0), num_draws=1)
    with pytest.raises(ConfigError, match="seed"):
        marginal(model, (0, 0), seed=-1)


def test_the_variance_of_counts_is_unknown_where_all_draws_show_one_level():
    model = PixelCNN(num_classes=3, num_residual_blocks=1, image_size=4)
    with torch.no_grad():
        model.out.bias[0] += 9
    assert math.isnan(marginal(model, (1, 1), num_draws=20).variance_ratio)
