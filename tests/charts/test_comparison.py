"""Figures of several models hold a row for each."""

import numpy as np
import torch

from pixelcnn.charts.comparison import compared_bits_figure, epochs_figure
from pixelcnn.charts.overlap import overlap_figure


def test_maps_of_all_models_are_on_one_scale():
    bits = {"one": torch.zeros(3, 4, 5), "two": torch.full((3, 4, 5), 2.0)}
    figure = compared_bits_figure(torch.zeros(3, 1, 4, 5).long(), bits, levels=2)
    maps = [axes.images[0] for axes in figure.axes[3:9]]
    assert {each.get_clim() for each in maps} == {(0.0, 2.0)}
    assert [int(each.get_array().max()) for each in maps] == [0, 0, 0, 2, 2, 2]


def test_epochs_are_named_and_missing_ones_left_blank():
    picture = np.zeros((6, 6, 1), np.uint8)
    figure = epochs_figure({"long": {10: picture, 20: picture}, "short": {5: picture}})
    assert [axes.get_title() for axes in figure.axes] == ["epoch 10", "epoch 20", "epoch 5", ""]


def test_text_of_wide_strips_stays_readable_on_a_page():
    sizes = []
    for count in (2, 10):
        picture = np.zeros((4, 4, 1), dtype=np.uint8)
        figure = epochs_figure({"a": dict.fromkeys(range(10, 10 * count + 10, 10), picture)})
        shown = min(1.0, 10.5 / figure.get_size_inches()[0])
        sizes += [shown * text.get_fontsize() for axes in figure.axes for text in axes.texts]
        sizes += [shown * axes.title.get_fontsize() for axes in figure.axes]
    assert min(sizes) >= 7.99


def test_histograms_count_every_score():
    scores = {"likelihood": (torch.arange(100.0), torch.tensor([5.0, 1e6]))}
    figure = overlap_figure(scores, names=("digits", "clothes"), unit="bits")
    heights = [patch.get_height() for patch in figure.axes[0].patches]
    assert sum(heights) == 102
