"""The one loop over the sub-pixels of an image."""

from collections.abc import Callable, Generator, Iterable
from itertools import groupby
from operator import attrgetter
from typing import TypeAlias

import torch
from torch import Tensor

from pixelcnn.order import Front
from pixelcnn.pauses import pause
from pixelcnn.threads import one_thread
from pixelcnn.walk.stepper import Stepper

Chooser: TypeAlias = Callable[[Tensor, Front], Tensor]
"""Maps the logits (R × B, K) of a front to the levels (R × B,) that are put there."""


def walk(stepper: Stepper, x: Tensor, choose: Chooser, *, cond: Tensor | None = None) -> Tensor:
    """Visits every sub-pixel in order and puts there the level that `choose` returns.

    Sampling, completing, scoring and coding differ in `choose` alone.

    Args:
        stepper: Gives the logits.
        x: Levels, filled in place; what it holds beforehand is not read by the model.
            (B, C, H, W), int64.
        choose: Levels (R × B,) for the logits (R × B, K) of a front.
        cond: As the model takes it.

    Returns:
        `x`.
    """
    for _ in walk_rows(stepper, x, choose, cond=cond):
        pass
    return x


def visit(stepper: Stepper, x: Tensor, fronts: Iterable[Front], choose: Chooser) -> None:
    """A part of a walk that `stepper` has begun: the next of its fronts. It pauses between rows.

    Args:
        stepper: Of a model in evaluation mode; without gradients.
        x: As `walk`.
        fronts: The next in order.
        choose: As `walk`.
    """
    for number, (_, in_row) in enumerate(groupby(fronts, attrgetter("row"))):
        if number > 0:
            pause()
        with one_thread():
            for front in in_row:
                levels = choose(stepper.logits(x, front), front)
                target = front.of(x)
                target.copy_(levels.view(target.shape))


@torch.inference_mode()
def walk_rows(
    stepper: Stepper, x: Tensor, choose: Chooser, *, cond: Tensor | None = None
) -> Generator[int, None, None]:
    """`walk`, pausing after each row: yields the number of rows that are complete."""
    model = stepper.model
    was_training = model.training
    # Dropout, and batch norm's statistics of the batch, belong to training alone.
    model.eval()
    try:
        fronts = stepper.start(x, cond).fronts()
        for row, in_row in groupby(fronts, attrgetter("row")):
            if row > 0:
                pause()
                yield row
            # Row by row: what a caller computes in between uses all threads.
            visit(stepper, x, in_row, choose)
        yield x.shape[2]
    finally:
        model.train(was_training)
