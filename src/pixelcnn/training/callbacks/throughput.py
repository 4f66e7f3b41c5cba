"""The speed of a training, and the time that is left."""

import time
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer


class Throughput(Callback):
    """Measures images per second in training steps, and the time left for everything.

    Validation, samples and checkpoints do not count for images per second; waiting for images does.

    Attributes:
        images: Images that all devices have trained on.
        seconds_left: Estimate for the whole training; None at first. Early stopping may end it
            sooner.
    """

    def __init__(self) -> None:
        self.images = 0
        self.seconds_left: float | None = None
        self._seconds = 0.0
        self._running_since: float | None = None
        self._epoch_start = (0, 0.0)
        self._measured_from: tuple[float, float] | None = None

    @property
    def seconds(self) -> float:
        """Wall time of training steps alone."""
        running = 0.0
        if self._running_since is not None:
            running = time.perf_counter() - self._running_since
        return self._seconds + running

    @property
    def images_per_second(self) -> float:
        """Speed in this epoch."""
        return self.speed_since(*self._epoch_start)

    def speed_since(self, images: int, seconds: float) -> float:
        """Images per second since these counts, infinite where no time has passed."""
        spent = self.seconds - seconds
        return (self.images - images) / spent if spent > 0 else float("inf")

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._start()  # an epoch that resumes in the middle has no start

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._stop()
        self._epoch_start = (self.images, self.seconds)
        self._start()

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        if self._measured_from is None:
            self._measured_from = (time.perf_counter(), epochs_done(trainer, batch_idx))

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.images += len(batch.x) * trainer.world_size
        self._estimate(trainer, batch_idx + 1)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._stop()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._stop()
        self._estimate(trainer, int(trainer.num_training_batches))

    def _estimate(self, trainer: Trainer, batches: int) -> None:
        if self._measured_from is None:
            return
        began, before = self._measured_from
        done = epochs_done(trainer, batches)
        seconds_per_epoch = (time.perf_counter() - began) / (done - before)
        self.seconds_left = seconds_per_epoch * max((trainer.max_epochs or 0) - done, 0)

    def _start(self) -> None:
        if self._running_since is None:
            self._running_since = time.perf_counter()

    def _stop(self) -> None:
        self._seconds = self.seconds
        self._running_since = None


def epochs_done(trainer: Trainer, batches: int) -> float:
    """Epochs that are done, counting the part of the current one, of which `batches` are done."""
    return trainer.current_epoch + batches / trainer.num_training_batches


def format_duration(seconds: float) -> str:
    """Minutes and seconds, or hours, minutes and seconds.

    Example:
        >>> format_duration(75.2), format_duration(36_000)
        ('1:15', '10:00:00')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
