"""A moving average of the weights, which validation, checkpoints and samples use if it is on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import WeightAveraging
from typing_extensions import override


class ExponentialMovingAverage(WeightAveraging):
    """Lightning's weight averaging, exponential, with a warm-up and without waiting for the device.

    After step n + 1 the average moves towards the weights by 1 - min(decay, (1 + n) / (10 + n)),
    so that the initial weights do not dominate short trainings. Buffers are copied.

    Args:
        decay: Share of the average that stays, after the warm-up. In (0, 1).

    References:
        Polyak and Juditsky (1992), Acceleration of Stochastic Approximation by Averaging. The
        warm-up is that of TensorFlow's ExponentialMovingAverage.
    """

    def __init__(self, decay: float) -> None:
        super().__init__(use_buffers=False)
        self.decay = decay

    @override
    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        # Not `update_parameters`: it reads a counter from the device at every step.
        if trainer.global_step > self._latest_update_step:
            self._latest_update_step = trainer.global_step
            self.move(pl_module, step_size(trainer.global_step - 1, self.decay))

    @torch.no_grad()
    def move(self, pl_module: LightningModule, step: float) -> None:
        """Moves the average towards the weights by a share in (0, 1]."""
        assert self._average_model is not None
        average = self._average_model.module
        torch._foreach_lerp_(list(average.parameters()), list(pl_module.parameters()), step)
        for mine, theirs in zip(average.buffers(), pl_module.buffers(), strict=True):
            mine.copy_(theirs)

    @contextmanager
    def in_place(self, pl_module: LightningModule) -> Iterator[None]:
        """Swaps the average with the weights for a block, as validation does."""
        self._swap_models(pl_module)
        try:
            yield
        finally:
            self._swap_models(pl_module)


def step_size(num_updates: int, decay: float) -> float:
    """The share by which an average of so many updates moves towards the weights.

    Example:
        >>> [round(step_size(n, 0.999), 3) for n in (0, 1, 10, 10_000)]
        [1.0, 0.818, 0.45, 0.001]
    """
    return 1 - min(decay, (1 + num_updates) / (10 + num_updates)) if num_updates else 1.0
