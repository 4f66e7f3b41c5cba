"""Training curves of one or several trainings, and of a learning rate finder."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pixelcnn.charts.figure import as_written, new_figure

History: TypeAlias = Sequence[Mapping[str, Any]]
"""One entry per epoch: `epoch`, `train_nll` and, where there is a validation split, `val_nll`, both
in nats per image; `learning_rate`, if it is known."""

Looks: TypeAlias = Mapping[str, Mapping[str, Any]]
"""Options of Matplotlib for the lines of `train_nll` and `val_nll`."""

COLOURS = {"train_nll": "#9a9a9a", "val_nll": "#1f6fb4"}
NAMES = {"train_nll": "training", "val_nll": "validation"}
BEST = "#c23b22"


def curves_figure(history: History, *, num_dims: int | None = None) -> Figure:
    """Shows NLL by epoch with the best epoch marked, and learning rate.

    Args:
        history: As `History` says.
        num_dims: Sub-pixels in an image; adds an axis in bits per dimension, and perplexity.
    """
    figure = new_figure(7, 5.5)
    axes, *below = _panels(figure)
    for key, colour in COLOURS.items():
        points = _points(history, key)
        if points:
            axes.plot(*zip(*points, strict=True), ".-", color=colour, label=NAMES[key])
            best = min(points, key=lambda point: point[1])
    if axes.lines:
        _fit_height(axes, len(history) // 20)
        axes.plot(*best, "o", color=BEST, label=f"best: {best[1]:.2f} at epoch {best[0]}")
        axes.legend(frameon=False)
    if num_dims is not None:
        _add_bits(axes, num_dims)
    looks = {key: {"color": colour} for key, colour in COLOURS.items()}
    _small_panels(below, [(history, looks)], num_dims)
    return figure


def compared_curves(histories: Mapping[str, History], *, num_dims: int) -> Figure:
    """Shows the curves of several trainings: validation as lines, training dotted.

    Args:
        histories: By name; those without entries are left out.
        num_dims: Sub-pixels in an image.
    """
    figure = new_figure(8, 6)
    axes, *below = _panels(figure)
    colours = {name: f"C{number % 10}" for number, name in enumerate(histories)}
    longest = max((len(history) for history in histories.values()), default=0)
    for name, history in histories.items():
        for key, style in (("train_nll", ":"), ("val_nll", "-")):
            points = _points(history, key)
            if points:
                label = as_written(name) if key == "val_nll" else None
                line = zip(*points, strict=True)
                axes.plot(*line, style, marker=".", color=colours[name], label=label)
    if axes.lines:
        _fit_height(axes, longest // 20)
        for name, history in histories.items():
            best = min(_points(history, "val_nll"), key=lambda point: point[1], default=None)
            if best:
                axes.plot(*best, "o", ms=9, mfc="none", mew=1.6, color=colours[name])
        axes.legend(
            frameon=False, title="dotted: training; ring: best epoch", fontsize=8, title_fontsize=8
        )
    _add_bits(axes, num_dims)
    looks = [
        {"train_nll": {"color": colour, "ls": ":"}, "val_nll": {"color": colour}}
        for colour in colours.values()
    ]
    _small_panels(below, list(zip(histories.values(), looks, strict=True)), num_dims)
    return figure


def learning_rate_figure(rates: Sequence[float], losses: Sequence[float], chosen: float) -> Figure:
    """Shows the loss by learning rate, on a logarithmic axis, and the rate that was chosen.

    Args:
        rates: Learning rates that were tried.
        losses: At each, in nats per sub-pixel; those that are not finite are left out.
        chosen: The learning rate to mark.
    """
    figure = new_figure(6, 4)
    axes = figure.add_subplot()
    axes.semilogx(rates, losses, color=COLOURS["val_nll"])
    axes.axvline(chosen, color=BEST, linestyle="--", label=f"steepest fall: {chosen:g}")
    # Where the loss diverges, the rest would look flat.
    low, start = min(loss for loss in losses if math.isfinite(loss)), losses[0]
    axes.set_ylim(low - 0.1 * (start - low), start + 0.3 * (start - low))
    axes.set(xlabel="learning rate", ylabel="loss (nats per sub-pixel)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure


def _panels(figure: Figure) -> list[Axes]:
    """A large panel for the NLL, above two small ones."""
    grid = figure.add_gridspec(2, 2, height_ratios=(2.6, 1))
    panels = [figure.add_subplot(place) for place in (grid[0, :], grid[1, 0], grid[1, 1])]
    panels[0].set(ylabel="NLL (nats per image)")
    panels[1].set(ylabel="perplexity")
    panels[2].set(ylabel="learning rate")
    for axes in panels:
        axes.set_xlabel("epoch")
        # With a single epoch there is room for one whole number only.
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.spines[["top", "right"]].set_visible(False)
    return panels


def _add_bits(axes: Axes, num_dims: int) -> None:
    """A second axis in bits per dimension."""
    nats = num_dims * math.log(2)
    there, back = (lambda y: np.divide(y, nats)), (lambda y: np.multiply(y, nats))
    bits = axes.secondary_yaxis("right", functions=(there, back))
    bits.set_ylabel("bits per dimension")


def _small_panels(
    panels: Sequence[Axes], trainings: Sequence[tuple[History, Looks]], num_dims: int | None
) -> None:
    """Perplexity per sub-pixel, and learning rate; panels without lines are removed."""
    perplexity, rate = panels
    for history, looks in trainings:
        rates = _points(history, "learning_rate")
        if rates:
            rate.plot(*zip(*rates, strict=True), marker=".", **looks["val_nll"])
        for key, look in looks.items():
            if num_dims is None:
                continue
            # Above, the exponential overflows.
            points = [p for p in _points(history, key) if p[1] < 700 * num_dims]
            shown = [(epoch, math.exp(nats / num_dims)) for epoch, nats in points]
            if shown:
                perplexity.plot(*zip(*shown, strict=True), marker=".", **look)
    if perplexity.lines:
        _fit_height(perplexity, max(len(history) for history, _ in trainings) // 20)
    for axes in panels:
        if not axes.lines:
            axes.remove()


def _points(history: History, key: str) -> list[tuple[int, float]]:
    """The epochs with a finite value, and their values."""
    pairs = ((entry["epoch"], entry.get(key)) for entry in history)
    return [(epoch, y) for epoch, y in pairs if isinstance(y, int | float) and math.isfinite(y)]


def _fit_height(axes: Axes, num_epochs: int) -> None:
    """Fits the height to later epochs: the first ones would make the rest look flat."""
    if num_epochs:
        later = [y for line in axes.lines for y in np.asarray(line.get_ydata())[num_epochs:]]
        if later:
            margin = 0.05 * (max(later) - min(later)) or 0.05 * abs(max(later))
            axes.set_ylim(min(later) - margin, max(later) + margin)
