"""The distribution of one sub-pixel, with its error bars."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pixelcnn.charts.figure import UNRELIABLE, new_figure
from pixelcnn.inference import LevelEstimate

MOST_BARS = 40  # more levels are a line with a band
COLOUR = "#1f6fb4"


def levels_figure(estimates: Mapping[str, LevelEstimate]) -> Figure:
    """Shows estimates of one sub-pixel below each other, with their 95 % intervals.

    Unreliable estimates are red, and their titles say so.

    Args:
        estimates: By title; all of the same K levels.
    """
    figure = new_figure(7, 2.6 * len(estimates))
    panels = figure.subplots(len(estimates), 1, squeeze=False, sharex=True)[:, 0]
    for axes, (title, estimate) in zip(panels, estimates.items(), strict=True):
        _show(axes, estimate)
        warning = "" if estimate.is_reliable else " (unreliable)"
        axes.set_title(f"{title}{warning}", fontsize=9)
        axes.set(ylabel="probability")
        axes.set_ylim(bottom=0)
        axes.spines[["top", "right"]].set_visible(False)
    panels[-1].set_xlabel("level")
    return figure


def _show(axes: Axes, estimate: LevelEstimate) -> None:
    colour = COLOUR if estimate.is_reliable else UNRELIABLE
    probabilities = estimate.probabilities.numpy()
    low, high = (end.nan_to_num(0).numpy() for end in estimate.interval())
    levels = np.arange(len(probabilities))
    if len(levels) > MOST_BARS:
        axes.fill_between(levels, low, high, color=colour, alpha=0.3, step="mid", lw=0)
        axes.step(levels, probabilities, where="mid", color=colour, lw=1)
        return
    axes.bar(levels, probabilities, color=colour, width=0.8)
    if not estimate.is_exact:
        ends = np.stack([probabilities - low, high - probabilities]).clip(min=0)
        axes.errorbar(levels, probabilities, ends, fmt="none", ecolor="black", capsize=3, lw=1)
    axes.set_xticks(levels if len(levels) <= 20 else levels[::2])
