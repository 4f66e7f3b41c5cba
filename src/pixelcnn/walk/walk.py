"""The one loop over the sub-pixels of an image."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import torch
from torch import Tensor

from pixelcnn.order import RasterOrder, Site
from pixelcnn.walk.stepper import Stepper

Chooser: TypeAlias = Callable[[Tensor, Site], Tensor]
"""Maps the logits (B, K) of a site to the levels (B,) that are put there."""


def walk(stepper: Stepper, x: Tensor, choose: Chooser, *, cond: Tensor | None = None) -> Tensor:
    """Visits every sub-pixel in order, and puts there what `choose` says.

    Drawing, completing, scoring and coding differ in `choose` alone.

    Args:
        stepper: Gives the logits.
        x: Levels, filled in place; what it holds beforehand is not read by the model.
            (B, C, H, W), int64.
        choose: Levels (B,) for the logits (B, K) of a site.
        cond: As the model takes it.

    Returns:
        `x`.
    """
    for _ in walk_rows(stepper, x, choose, cond=cond):
        pass
    return x


@torch.inference_mode()
def walk_rows(
    stepper: Stepper, x: Tensor, choose: Chooser, *, cond: Tensor | None = None
) -> Iterator[int]:
    """`walk`, pausing after each row: yields the number of rows done."""
    model = stepper.model
    was_training = model.training
    # Dropout, and batch norm's statistics of the batch, belong to training alone.
    model.eval()
    try:
        stepper.start(x, cond)
        order = RasterOrder(*x.shape[1:])
        for site in order:
            if site.row and site.column == 0 and site.channel == 0:
                yield site.row
            x[:, site.channel, site.row, site.column] = choose(stepper.logits(x, site), site)
        yield order.height
    finally:
        model.train(was_training)
