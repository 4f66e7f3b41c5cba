"""Heat maps of the bits of each pixel given all earlier ones."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from pixelcnn.charts.figure import as_written, new_figure
from pixelcnn.plots import Grid, image_grid

COLUMNS = 8
COLOURS = "magma"
BRIGHTEST = 0.998  # quantile at the end of the scale: a single outlier must not dim the rest


def bits_figure(
    x: Tensor, bits: Tensor, *, levels: int, titles: Sequence[str], columns: int = COLUMNS
) -> Figure:
    """Shows each image above its bits per pixel, all maps on one scale.

    Args:
        x: Levels. (N, C, H, W).
        bits: Bits of each pixel. (N, H, W).
        levels: Number of levels K.
        titles: One text per image.
        columns: Images in a row.
    """
    columns = min(columns, len(x))
    rows = math.ceil(len(x) / columns)
    figure = new_figure(1.3 * columns + 0.9, 2.9 * rows)
    grid = figure.subplots(2 * rows, columns, squeeze=False)
    top = float(np.quantile(bits.numpy(), BRIGHTEST)) or 1.0
    for axes in grid.flat:
        axes.axis("off")
    for number, title in enumerate(titles):
        row, column = divmod(number, columns)
        above, below = grid[2 * row, column], grid[2 * row + 1, column]
        show_image(above, x[number], levels=levels)
        above.set_title(as_written(title), fontsize=7)
        shown = below.imshow(bits[number].numpy(), cmap=COLOURS, vmin=0, vmax=top)
    bar = figure.colorbar(shown, ax=grid, fraction=0.03, pad=0.01, extend="max")
    bar.set_label("bits per pixel")
    return figure


def show_image(axes: Axes, x: Tensor, *, levels: int) -> None:
    """Shows one image (C, H, W) in axes without ticks."""
    show_grid(axes, image_grid(x[None], levels, pad=0))
    axes.axis("off")


def show_grid(axes: Axes, picture: Grid) -> None:
    """Shows a picture (rows, columns, 1 or 3) in axes."""
    is_grey = picture.shape[2] == 1
    axes.imshow(picture[:, :, 0] if is_grey else picture, cmap="gray", vmin=0, vmax=255)
