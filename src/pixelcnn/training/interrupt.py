"""Ctrl-C during a training: stop where the run can be resumed exactly."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint

from pixelcnn.training.messages import say


class StopOnCtrlC(Checkpoint):
    """Saves and stops at the next step at which nothing is half done; at once if pressed again.

    Such a step is the start of a batch, or the end of an epoch after its validation. Lightning
    would stop anywhere, and could then resume without that epoch's validation.

    Args:
        last: Where the state is saved.
    """

    def __init__(self, last: Path) -> None:
        self.last = last
        self.pressed = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Takes over Ctrl-C; in other threads than the main one it cannot arrive anyway."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGINT, self.press)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def press(self, *_: Any) -> None:
        """What Ctrl-C does."""
        if self.pressed:
            raise KeyboardInterrupt
        self.pressed = True
        say("Stopping as soon as the state can be saved. Ctrl-C again stops at once.")

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        # Gradients that are still being summed up are in no checkpoint.
        if self.pressed and batch_idx % trainer.accumulate_grad_batches == 0:
            trainer.save_checkpoint(self.last)
            raise KeyboardInterrupt

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # Comes after `KeepCheckpoints`, which has saved by now.
        if self.pressed:
            raise KeyboardInterrupt
