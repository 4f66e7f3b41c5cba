"""Completions of images, their mean and their uncertainty."""

import numpy as np
from einops import rearrange
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from pixelcnn.charts.bits import COLOURS, show_image
from pixelcnn.charts.figure import UNRELIABLE, as_written, new_figure
from pixelcnn.inference import Completions
from pixelcnn.plots import UNKNOWN


def completions_figure(
    x: Tensor, found: Completions, *, levels: int, names: list[str], most: int = 8
) -> Figure:
    """Shows a row for each image: known pixels, most probable completions, mean, uncertainty.

    Args:
        x: Levels; read only where known. (B, C, H, W).
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
        axes[0].imshow(_known(x[row], found.known[row], levels))
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
    if not found.is_reliable:
        warning = f"{found.method}: unreliable as samples given all known pixels"
        figure.suptitle(warning, fontsize=8, color=UNRELIABLE)
    bar = figure.colorbar(shown, ax=grid, fraction=0.02, pad=0.01)
    bar.set_label(f"bits per pixel, of {found.images.shape[1]} completions", fontsize=7)
    return figure


def _known(x: Tensor, known: Tensor, levels: int) -> NDArray[np.float64]:
    """An image (C, H, W) with unknown pixels in blue. (H, W, 3)."""
    is_unknown = ~known.all(0).numpy()
    return np.where(is_unknown[:, :, None], UNKNOWN, _picture(x, levels))


def _picture(x: Tensor, levels: int) -> NDArray[np.float64]:
    """Levels or their means (C, H, W) as colours from 0 to 1. (H, W, 3)."""
    light = rearrange(x.double() / (levels - 1), "c h w -> h w c").numpy()
    if light.shape[2] != 3:
        light = light.mean(2, keepdims=True)
    return np.broadcast_to(light, (*light.shape[:2], 3))
