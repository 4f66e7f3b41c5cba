"""What is shown of a training while it runs: a bar in terminals, plain lines elsewhere."""

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
from pixelcnn.training.callbacks.throughput import Throughput, in_clock_form


class EpochBar(RichProgressBar):
    """A progress bar for terminals: time left of the epoch and of everything, speed, bits/dim.

    Args:
        history: Tells the latest figure.
        pace: Tells speed and time.
    """

    def __init__(self, history: History, pace: Throughput) -> None:
        theme = RichProgressBarTheme(metrics="", metrics_text_delimiter=", ")
        super().__init__(console_kwargs={"stderr": True}, theme=theme)
        self.history = history
        self.pace = pace

    def configure_columns(self, trainer: Trainer) -> list[ProgressColumn]:
        return [
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),  # all fits into 100 columns
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("left"),
        ]

    def _get_train_description(self, current_epoch: int) -> str:
        # Epochs are counted from 1 wherever people read them; Lightning's bar counts from 0.
        name = f"Epoch {current_epoch + 1}/{self.trainer.max_epochs}"
        return f"{name:{len(self.validation_description)}}"

    def get_metrics(
        self, trainer: Trainer, pl_module: LightningModule
    ) -> dict[str, int | str | float | dict[str, float]]:
        # Lightning's own would read numbers from the device after every step, and so wait for it.
        shown: dict[str, int | str | float | dict[str, float]] = {}
        if self.pace.seconds_left is not None:
            shown["overall"] = in_clock_form(self.pace.seconds_left)
            shown["images/s"] = f"{self.pace.images_per_second:,.0f}"
        if self.history.entries:
            shown["bits/dim"] = f"{self.history.entries[-1]['val_bpd']:.4f}"
        return shown


class EpochLines(Callback):
    """Says one plain line per epoch, for logs and pipes: no control characters.

    Args:
        history: Tells the figures.
        pace: Tells speed and time.
    """

    def __init__(self, history: History, pace: Throughput) -> None:
        self.history = history
        self.pace = pace

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        entry, left = self.history.entries[-1], self.pace.seconds_left
        logger.info(
            f"epoch {entry['epoch']}/{trainer.max_epochs}: "
            f"train {entry['train_nll']:.3f}, validation {entry['val_nll']:.3f} nats per image "
            f"({entry['val_bpd']:.4f} bits/dim), {entry['seconds']:.1f} s, "
            f"{self.pace.images_per_second:,.0f} images/s"
            + (f", {in_clock_form(left)} left" if left else "")
        )
