"""Ctrl-C and SIGTERM during a training: stop where the run can resume exactly."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint

from pixelcnn.logger import logger
from pixelcnn.training.callbacks.checkpoints import RunCheckpoints
from pixelcnn.training.distributed.process_group import AsyncMaximum, ProcessGroup

TERMINATED = 128 + signal.SIGTERM  # what a shell reports, and schedulers count as preempted


class StopOnSignal(Checkpoint):
    """Saves and stops at the next step from which the training can resume exactly.

    Such a step is the start of a batch, or the end of an epoch after its validation. Lightning
    would stop anywhere, and could then resume without that epoch's validation. A second Ctrl-C
    stops at once. Processes that train together stop at the same step, whichever got the signal.

    Attributes:
        received: The signal that arrived, if one did.
        has_begun: Whether the training has begun: all states are restored.
    """

    def __init__(self, checkpoints: RunCheckpoints, group: ProcessGroup) -> None:
        self.checkpoints = checkpoints
        self.largest = AsyncMaximum(group)  # of the signals that the processes received
        self.received: signal.Signals | None = None
        self.has_begun = False
        self._at_epoch_end = 0  # a signal that any process received

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Handles Ctrl-C; it arrives in the main thread only."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
        signal.signal(signal.SIGINT, self.receive)
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.has_begun = True
        # Here, because Lightning sets its own handler in between, which saves nothing.
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self.receive)

    def receive(self, number: int, *_: Any) -> None:
        """Handles a signal."""
        if self.received == number == signal.SIGINT:
            raise KeyboardInterrupt
        self.received = signal.Signals(number)
        again = " Ctrl-C again stops at once." if number == signal.SIGINT else ""
        logger.info(f"Stopping as soon as the state can be saved.{again}")

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        # A checkpoint does not hold accumulated gradients.
        if batch_idx % trainer.accumulate_grad_batches == 0:
            number = self.largest.update(self.received or 0)
            if number:
                if self.checkpoints.saved_at != trainer.global_step:
                    self.checkpoints.save_last(trainer)
                self.stop(number)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # `RunCheckpoints` comes before this callback and has saved.
        self._at_epoch_end = self.largest.update_and_wait(self.received or 0)
        # Not at once: Lightning has yet to log the metrics of this epoch.
        trainer.should_stop = trainer.should_stop or bool(self._at_epoch_end)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._at_epoch_end:
            self.stop(self._at_epoch_end)

    def stop(self, number: int) -> None:
        """Ends the training as this signal does."""
        self.received = signal.Signals(number)
        if self.received == signal.SIGTERM:
            raise SystemExit(TERMINATED)
        raise KeyboardInterrupt
