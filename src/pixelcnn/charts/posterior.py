"""The posterior of the label of an image after each pixel."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from pixelcnn.charts.bits import show_image
from pixelcnn.charts.figure import as_written, new_figure

NAMED = 0.2  # the legend has labels whose probability exceeds this once, and the final best


def posterior_figure(
    x: Tensor, by_pixel: Tensor, *, levels: int, names: Sequence[str], titles: Sequence[str]
) -> Figure:
    """Shows each image beside the posterior of its label after each pixel.

    Args:
        x: Levels. (N, C, H, W).
        by_pixel: log p(label | the first t pixels). (N, 1 + H W, L).
        levels: Number of levels K.
        names: One name per label.
        titles: One text per image.
    """
    figure = new_figure(7.5, 1.9 * len(x) + 0.4)
    grid = figure.subplots(len(x), 2, squeeze=False, width_ratios=(1, 4), sharex="col")
    width = x.shape[3]
    rows = np.arange(by_pixel.shape[1]) / width
    for (left, right), image, posterior, title in zip(grid, x, by_pixel, titles, strict=True):
        show_image(left, image, levels=levels)
        left.set_title(as_written(title), fontsize=9)
        for label, name in enumerate(names):
            probability = posterior[:, label].exp().numpy()
            is_named = probability[1:].max() > NAMED or label == int(posterior[-1].argmax())
            named = as_written(name) if is_named else None
            right.plot(rows, probability, color=f"C{label % 10}", lw=1.2, label=named)
        right.set(ylim=(-0.03, 1.03), xlim=(0, rows[-1]), ylabel="p(label)")
        right.spines[["top", "right"]].set_visible(False)
        right.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
    grid[-1, 1].set_xlabel("rows known")
    return figure
