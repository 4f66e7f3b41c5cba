"""The loss while a learning rate rises."""

import math
from collections.abc import Sequence

from matplotlib.figure import Figure

from pixelcnn.charts.figure import new_figure

CHOSEN = "#c23b22"


def rate_figure(rates: Sequence[float], losses: Sequence[float], chosen: float) -> Figure:
    """Loss by learning rate, on a logarithmic axis, with the rate that was chosen.

    Args:
        rates: That were tried.
        losses: At each, in nats per sub-pixel; what is not finite is left out.
        chosen: Marked in the picture.
    """
    figure = new_figure(6, 4)
    axes = figure.add_subplot()
    axes.semilogx(rates, losses, color="#1f6fb4")
    axes.axvline(chosen, color=CHOSEN, linestyle="--", label=f"steepest fall: {chosen:g}")
    # Where the loss explodes, the rest would look flat.
    low, start = min(loss for loss in losses if math.isfinite(loss)), losses[0]
    axes.set_ylim(low - 0.1 * (start - low), start + 0.3 * (start - low))
    axes.set(xlabel="learning rate", ylabel="loss (nats per sub-pixel)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure
