"""Curves of a training."""

import math
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pixelcnn.charts.figure import new_figure, save_figure

COLOURS = {"train_nll": "#9a9a9a", "val_nll": "#1f6fb4"}
NAMES = {"train_nll": "training", "val_nll": "validation"}


def plot_curves(
    history: Sequence[Mapping[str, Any]],
    path: str | PathLike[str],
    *,
    num_dims: int | None = None,
) -> None:
    """Draws training and validation NLL by epoch into a PNG, the best epoch marked.

    Args:
        history: One entry per epoch: `epoch`, `train_nll` and, where there is a validation
            split, `val_nll`, both in nats per image.
        path: Where to write it.
        num_dims: Sub-pixels in an image; adds an axis in bits per dimension.

    Raises:
        OutputError: If the file cannot be written.
    """
    save_figure(curves_figure(history, num_dims=num_dims), path)


def curves_figure(history: Sequence[Mapping[str, Any]], *, num_dims: int | None = None) -> Figure:
    """The figure that `plot_curves` saves. No window system and no global state is used."""
    figure = new_figure(7, 4)
    axes = figure.add_subplot()
    for key, colour in COLOURS.items():
        points = [(entry["epoch"], entry[key]) for entry in history if _is_number(entry.get(key))]
        if points:
            axes.plot(*zip(*points, strict=True), ".-", color=colour, label=NAMES[key])
            best = min(points, key=lambda point: point[1])
    if axes.lines:
        _leave_out_the_start(axes, len(history) // 20)
        axes.plot(*best, "o", color="#c23b22", label=f"best: {best[1]:.2f} at epoch {best[0]}")
        axes.legend(frameon=False)
    axes.set(xlabel="epoch", ylabel="NLL (nats per image)")
    # With a single epoch there is room for one whole number only.
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.spines[["top", "right"]].set_visible(False)
    if num_dims is not None:
        nats = num_dims * math.log(2)
        there, back = (lambda y: np.divide(y, nats)), (lambda y: np.multiply(y, nats))
        bits = axes.secondary_yaxis("right", functions=(there, back))
        bits.set_ylabel("bits per dimension")
    return figure


def _leave_out_the_start(axes: Axes, num_epochs: int) -> None:
    """Fits the height to later epochs: the first fall so far that the rest would look flat."""
    if num_epochs:
        later = [y for line in axes.lines for y in np.asarray(line.get_ydata())[num_epochs:]]
        margin = 0.05 * (max(later) - min(later))
        axes.set_ylim(min(later) - margin, max(later) + margin)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
