"""Ctrl-C and SIGTERM during a training: stop where the run can be resumed exactly."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint

from pixelcnn.logger import logger
from pixelcnn.training.callbacks.checkpoints import RunCheckpoints
from pixelcnn.training.distributed.process_group import Vote

TERMINATED = 128 + signal.SIGTERM  # what a shell reports, and schedulers count as preempted


class StopOnSignal(Checkpoint):
    """Saves and stops at the next step at which nothing is half done.

    Such a step is the start of a batch, or the end of an epoch after its validation. Lightning
    would stop anywhere, and could then resume without that epoch's validation. A second Ctrl-C
    stops at once. Processes that train together stop at the same step, whoever got the signal.

    Args:
        keep: What saves the state.
        vote: Asks the other processes.

    Attributes:
        received: The signal that arrived, if one did.
    """

    def __init__(self, keep: RunCheckpoints, vote: Vote) -> None:
        self.keep = keep
        self.vote = vote
        self.received: signal.Signals | None = None
        self.asked = 0  # at the end of an epoch, by any process

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Takes over Ctrl-C; in other threads than the main one it cannot arrive anyway."""
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
        # Here, because Lightning sets a handler of its own in between, which saves nothing.
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self.receive)

    def receive(self, number: int, *_: Any) -> None:
        """What a signal does."""
        if self.received == number == signal.SIGINT:
            raise KeyboardInterrupt
        self.received = signal.Signals(number)
        again = " Ctrl-C again stops at once." if number == signal.SIGINT else ""
        logger.info(f"Stopping as soon as the state can be saved.{again}")

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        # Gradients that are still being summed up are in no checkpoint.
        if batch_idx % trainer.accumulate_grad_batches == 0:
            asked = self.vote.so_far(self.received or 0)
            if asked:
                if self.keep.saved_at != trainer.global_step:
                    self.keep.save_last(trainer)
                self.stop(asked)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # Comes after `RunCheckpoints`, which has saved by now.
        self.asked = self.vote.now(self.received or 0)
        # Not at once: Lightning has yet to tell the loggers the figures of this epoch.
        trainer.should_stop = trainer.should_stop or bool(self.asked)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.asked:
            self.stop(self.asked)

    def stop(self, number: int) -> None:
        """Ends the training, as this signal asks for."""
        self.received = signal.Signals(number)
        if self.received == signal.SIGTERM:
            raise SystemExit(TERMINATED)
        raise KeyboardInterrupt
