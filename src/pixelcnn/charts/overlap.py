"""Histograms of the scores of two sets of images."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from pixelcnn.charts.figure import as_written, new_figure

BINS = 40
COLOURS = ("#1f6fb4", "#c23b22")
SHOWN = (0.005, 0.995)  # quantiles of all scores: a single image must not flatten the rest


def overlap_figure(
    scores: Mapping[str, tuple[Tensor, Tensor]], *, names: tuple[str, str], unit: str
) -> Figure:
    """Shows the scores of two sets of images as overlapping histograms, a panel for each title.

    Args:
        scores: Of either set, (N,) and (M,), by title.
        names: Of the sets.
        unit: Of the scores.
    """
    figure = new_figure(7, 2.1 * len(scores) + 0.3)
    panels = figure.subplots(len(scores), 1, squeeze=False)[:, 0]
    for axes, (title, pair) in zip(panels, scores.items(), strict=True):
        together = np.concatenate([each.numpy() for each in pair])
        low, high = np.quantile(together, SHOWN).tolist()
        edges = np.linspace(low, high, BINS + 1)
        for values, name, colour in zip(pair, names, COLOURS, strict=True):
            inside = np.clip(values.double().numpy(), edges[0], edges[-1])  # as exact as they
            axes.hist(inside, edges, color=colour, alpha=0.55, label=as_written(name))
        axes.set_title(as_written(title), fontsize=9)
        axes.set_yticks([])
        axes.spines[["top", "right", "left"]].set_visible(False)
    panels[0].legend(frameon=False, fontsize=8)
    panels[-1].set_xlabel(unit)
    return figure
