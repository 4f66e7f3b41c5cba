"""Several models side by side: bits per pixel, and samples during training."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from pixelcnn.charts.bits import BRIGHTEST, COLOURS, show_grid, show_image
from pixelcnn.charts.figure import as_written, new_figure
from pixelcnn.plots import Grid

FONTSIZE = 8.0
PAGE_WIDTH = 10.5  # inches: wider figures are scaled down, so their text must be larger


def compared_bits_figure(x: Tensor, bits: Mapping[str, Tensor], *, levels: int) -> Figure:
    """Shows images above their bits per pixel under each model, all maps on one scale.

    Args:
        x: Levels. (N, C, H, W).
        bits: Bits of each pixel, by model name. (N, H, W).
        levels: Number of levels K.
    """
    figure = new_figure(0.85 * len(x) + 2.2, 0.9 * (len(bits) + 1) + 0.1)
    grid = figure.subplots(len(bits) + 1, len(x), squeeze=False)
    everything = np.concatenate([each.numpy().ravel() for each in bits.values()])
    top = float(np.quantile(everything, BRIGHTEST)) or 1.0
    for number, image in enumerate(x):
        show_image(grid[0, number], image, levels=levels)
    for row, maps in zip(grid[1:], bits.values(), strict=True):
        for axes, each in zip(row, maps, strict=True):
            shown = axes.imshow(each.numpy(), cmap=COLOURS, vmin=0, vmax=top)
    _name_rows(grid, ["images", *bits])
    bar = figure.colorbar(shown, ax=grid, fraction=0.02, pad=0.01, extend="max")
    bar.set_label("bits per pixel", fontsize=8)
    return figure


def epochs_figure(strips: Mapping[str, Mapping[int, Grid]]) -> Figure:
    """Shows samples of models after some epochs, from left to right."""
    columns = max(len(strip) for strip in strips.values())
    width = 1.9 * columns + 1.4
    figure = new_figure(width, 2.1 * len(strips))
    fontsize = FONTSIZE * max(1.0, width / PAGE_WIDTH)
    grid = figure.subplots(len(strips), columns, squeeze=False)
    for row, strip in zip(grid, strips.values(), strict=True):
        for axes, (epoch, picture) in zip(row, strip.items(), strict=False):
            show_grid(axes, picture)
            axes.set_title(f"epoch {epoch}", fontsize=fontsize)
    _name_rows(grid, list(strips), fontsize=fontsize)
    return figure


def _name_rows(grid: np.ndarray, names: list[str], *, fontsize: float = FONTSIZE) -> None:
    """Writes names to the left of rows of axes."""
    look = {"ha": "right", "va": "center", "fontsize": fontsize}
    for (first, *_), name in zip(grid, names, strict=True):
        first.text(-0.08, 0.5, as_written(name), transform=first.transAxes, **look)
    for axes in grid.flat:
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
