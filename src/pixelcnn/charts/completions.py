"""Completions of images beside what was given, their mean, and where they differ."""

import numpy as np
from einops import rearrange
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from pixelcnn.charts.figure import DOUBTED, as_written, new_figure
from pixelcnn.charts.surprise import COLOURS, show_image
from pixelcnn.inference import Completions
from pixelcnn.plots import UNKNOWN


def completions_figure(
    x: Tensor, found: Completions, *, levels: int, names: list[str], most: int = 8
) -> Figure:
    """A row for each image: given, the most probable completions, their mean, their uncertainty.

    Args:
        x: Levels that were given; read only where known. (B, C, H, W).
        found: Their completions.
        levels: Number of levels K.
        names: One text per image.
        most: Completions shown of each image.
    """
    count = min(most, found.images.shape[1])
    figure = new_figure(1.15 * (count + 3) + 0.6, 1.35 * len(x) + 0.3)
    grid = figure.subplots(len(x), count + 3, squeeze=False)
    top = float(found.uncertainty.sum(1).max()) or 1.0
    for row, axes in enumerate(grid):
        axes[0].imshow(_given(x[row], found.known[row], levels))
        axes[0].set_title(as_written(names[row]), fontsize=7)
        for rank in range(count):
            show_image(axes[1 + rank], found.images[row, rank], levels=levels)
            axes[1 + rank].set_title(f"{found.log_prob[row, rank]:.1f} nats", fontsize=7)
        axes[-2].imshow(_picture(found.mean[row], levels))
        axes[-2].set_title("mean", fontsize=7)
        bits = found.uncertainty[row].sum(0).numpy()
        shown = axes[-1].imshow(bits, cmap=COLOURS, vmin=0, vmax=top)
        axes[-1].set_title("uncertainty", fontsize=7)
        for each in axes:
            each.axis("off")
    if not found.is_trusted:
        doubt = f"by {found.method}: not to be trusted as draws given all that is known"
        figure.suptitle(doubt, fontsize=8, color=DOUBTED)
    bar = figure.colorbar(shown, ax=grid, fraction=0.02, pad=0.01)
    bar.set_label(f"bits per pixel, of {found.images.shape[1]} completions", fontsize=7)
    return figure


def _given(x: Tensor, known: Tensor, levels: int) -> NDArray[np.float64]:
    """An image (C, H, W) with what is missing in blue. (H, W, 3)."""
    is_missing = ~known.all(0).numpy()
    return np.where(is_missing[:, :, None], UNKNOWN, _picture(x, levels))


def _picture(x: Tensor, levels: int) -> NDArray[np.float64]:
    """Levels or their means (C, H, W) as colours from 0 to 1. (H, W, 3)."""
    light = rearrange(x.double() / (levels - 1), "c h w -> h w c").numpy()
    if light.shape[2] != 3:
        light = light.mean(2, keepdims=True)
    return np.broadcast_to(light, (*light.shape[:2], 3))
