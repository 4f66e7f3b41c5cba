"""Progress of a training: a bar in terminals, plain lines elsewhere."""

import math
import time
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import RichProgressBar
from lightning.pytorch.callbacks.progress.rich_progress import RichProgressBarTheme
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from pixelcnn.logger import logger
from pixelcnn.training.callbacks.history import History
from pixelcnn.training.callbacks.throughput import Throughput, format_duration


class EpochBar(RichProgressBar):
    """A progress bar for terminals: time left of the epoch and of everything, speed, bits/dim."""

    def __init__(self, history: History, throughput: Throughput) -> None:
        theme = RichProgressBarTheme(metrics="", metrics_text_delimiter=", ")
        super().__init__(console_kwargs={"stderr": True}, theme=theme)
        self.history = history
        self.throughput = throughput

    def configure_columns(self, trainer: Trainer) -> list[ProgressColumn]:
        return [
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),  # all fits into 100 columns
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("left"),
        ]

    def _get_train_description(self, current_epoch: int) -> str:
        # Epochs are counted from 1 in all output; Lightning's bar counts from 0.
        name = f"Epoch {current_epoch + 1}/{self.trainer.max_epochs}"
        return f"{name:{len(self.validation_description)}}"

    def get_metrics(
        self, trainer: Trainer, pl_module: LightningModule
    ) -> dict[str, int | str | float | dict[str, float]]:
        # Lightning's own would wait for the device after every step.
        shown: dict[str, int | str | float | dict[str, float]] = {}
        if self.throughput.seconds_left is not None:
            shown["overall"] = format_duration(self.throughput.seconds_left)
            shown["images/s"] = f"{self.throughput.images_per_second:,.0f}"
        if self.history.entries:
            shown["bits/dim"] = f"{self.history.entries[-1]['val_bpd']:.4f}"
        return shown


class ProgressLines(Callback):
    """Logs plain lines for files and pipes: after the first step, at intervals, after each epoch.

    Args:
        history: The metrics of the epochs.
        throughput: Speed and time.
        interval: Seconds between two lines within an epoch.
    """

    def __init__(self, history: History, throughput: Throughput, *, interval: float = 30.0) -> None:
        self.history = history
        self.throughput = throughput
        self.interval = interval
        self._last = 0.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._last = -math.inf  # a line after the first step

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        now = time.monotonic()
        if now - self._last < self.interval or trainer.is_last_batch:
            return
        self._last = now
        nll = trainer.callback_metrics["train_nll_step"].item()
        logger.info(
            f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}, step {batch_idx + 1}/"
            f"{trainer.num_training_batches}: train {nll:.3f} nats per image{self.time_left()}"
        )

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._last = time.monotonic()
        entry = self.history.entries[-1]
        logger.info(
            f"epoch {entry['epoch']}/{trainer.max_epochs}: "
            f"train {entry['train_nll']:.3f}, validation {entry['val_nll']:.3f} nats per image "
            f"({entry['val_bpd']:.4f} bits/dim), {entry['seconds']:.1f} s, "
            f"{self.throughput.images_per_second:,.0f} images/s{self.time_left()}"
        )

    def time_left(self) -> str:
        """The end of a line; empty where nothing is left or nothing is known."""
        left = self.throughput.seconds_left
        return f", {format_duration(left)} left" if left else ""
