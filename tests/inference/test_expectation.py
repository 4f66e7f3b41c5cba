"""The expected image as its pixels become known."""

import pytest
import torch

from pixelcnn.errors import ConfigError, ShapeError
from pixelcnn.inference import expectation, marginal
from pixelcnn.models import PixelCNN
from tests.inference.tiny import tiny_model


def test_pixels_arrive_in_raster_order_and_stay():
    model = tiny_model("rgb")
    x = torch.randint(model.num_classes, (3, model.in_channels, 2, 2))
    found = expectation(model, x, num_times=5, num_draws=3)
    assert found.mean.shape == (5, 3, model.in_channels, 2, 2)
    assert found.known.sum((1, 2, 3)).tolist() == [0, 3, 6, 9, 12]
    first_pixel = found.known[1].nonzero()
    assert (first_pixel[:, 1:] == 0).all() and len(first_pixel) == 3
    known = found.known[:, None].expand_as(found.mean)
    assert torch.equal(found.mean[known], x.expand_as(found.mean)[known].double())
    assert torch.equal(found.mean[-1], x.double())


def test_before_anything_is_known_the_mean_is_that_of_the_marginal():
    model = tiny_model("levels")
    x = torch.zeros(1, 1, 2, 3, dtype=torch.int64)
    mean = expectation(model, x, num_times=2, num_draws=4000).mean[0, 0, 0, 1, 1]
    levels = torch.arange(model.num_classes, dtype=torch.float64)
    exact = marginal(model, (1, 1), num_draws=4000, seed=1).averaged
    # Five standard errors of 4,000 levels that are at most 2 apart: a false alarm in a million.
    assert abs(mean - exact.probabilities @ levels) < 5 * 1 / 4000**0.5


def test_progress_is_reported():
    seen = []
    x = torch.zeros(1, 1, 2, 2, dtype=torch.int64)
    expectation(PixelCNN(num_classes=2), x, num_times=3, progress=lambda *parts: seen.append(parts))
    assert seen == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"num_times": 1}, "`num_times` must be at least 2, got 1"),
        ({"num_draws": 0}, "`num_draws` must be at least 1, got 0"),
    ],
)
def test_numbers_out_of_range_are_refused(options, says):
    with pytest.raises(ConfigError, match=says):
        expectation(PixelCNN(num_classes=2), torch.zeros(1, 2, 2).long(), **options)


@pytest.mark.parametrize("x", [torch.zeros(2, 2).long(), torch.full((1, 1, 2, 2), 7)])
def test_images_that_do_not_fit_are_refused(x):
    with pytest.raises(ShapeError, match="`images`"):
        expectation(PixelCNN(num_classes=2), x)
