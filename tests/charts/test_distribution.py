"""Bars are the probabilities, with their intervals; unreliable ones are marked."""

import pytest
import torch

from pixelcnn.charts.distribution import levels_figure
from pixelcnn.inference import LevelEstimate


def estimate(levels=3, **fields):
    probabilities = torch.rand(levels, dtype=torch.float64)
    probabilities /= probabilities.sum()
    stderr = torch.full((levels,), 0.01, dtype=torch.float64)
    return LevelEstimate(probabilities, stderr, "importance", 100, 100.0, **fields)


def test_bars_are_as_high_as_the_probabilities_and_carry_their_interval():
    found = estimate()
    (axes,) = levels_figure({"marginal": found}).axes
    assert [bar.get_height() for bar in axes.patches] == found.probabilities.tolist()
    low, high = found.interval()
    (lines,) = (c for c in axes.collections if len(c.get_segments()) == 3)
    ends = torch.tensor([[y for _, y in segment] for segment in lines.get_segments()])
    assert torch.allclose(ends.double(), torch.stack([low, high], 1), atol=1e-9)


def test_many_levels_are_a_line_with_a_band():
    found = estimate(levels=256)
    (axes,) = levels_figure({"marginal": found}).axes
    assert not axes.patches
    assert axes.lines[0].get_ydata().tolist() == found.probabilities.tolist()


@pytest.mark.parametrize("levels", [2, 256])
def test_an_unreliable_estimate_is_marked(levels):
    figure = levels_figure({"a": estimate(levels), "b": estimate(levels, warnings=("few draws",))})
    titles = [axes.get_title() for axes in figure.axes]
    assert "unreliable" not in titles[0] and "(unreliable)" in titles[1]
