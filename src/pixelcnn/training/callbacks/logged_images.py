"""Images for the loggers, and the epochs after which they are made."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import TensorBoardLogger, WandbLogger

from pixelcnn.charts.curves import curves_figure
from pixelcnn.charts.figure import figure_pixels, save_figure
from pixelcnn.config import LoggerConfig
from pixelcnn.training.callbacks.history import History

Chosen = Callable[[int], bool]
"""Whether images are made after an epoch, counted from 1."""


def chosen_epochs(config: LoggerConfig) -> Chosen | None:
    """After which epochs images are made; None if after none.

    Example:
        >>> chosen = chosen_epochs(LoggerConfig(sample_every_n_epochs=10, sample_epochs=[1, 5]))
        >>> [epoch for epoch in range(1, 31) if chosen(epoch)]
        [1, 5, 10, 20, 30]
    """
    every, single = config.sample_every_n_epochs, frozenset(config.sample_epochs or ())
    if not every and not single:
        return None
    return lambda epoch: epoch in single or (every > 0 and epoch % every == 0)


class LearningCurves(Callback):
    """Plots the learning curves while a model trains."""

    def __init__(self, path: Path, *, chosen: Chosen, history: History, num_dims: int) -> None:
        self.path = path
        self.chosen = chosen
        self.history = history
        self.num_dims = num_dims

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        epoch = trainer.current_epoch + 1
        if not self.chosen(epoch) or not trainer.is_global_zero:
            return
        figure = curves_figure(self.history.entries, num_dims=self.num_dims)
        save_figure(figure, self.path)
        log_image_array(trainer, "curves", figure_pixels(figure), epoch)


def log_image_array(trainer: Trainer, name: str, pixels: np.ndarray, epoch: int) -> None:
    """Adds an image to every logger that shows images.

    Args:
        trainer: Its loggers are used.
        name: Name of the image; earlier ones of the name stay.
        pixels: (height, width, 3 or 4), from 0 to 255.
        epoch: The epoch after which it was made, from 1.
    """
    for logger in trainer.loggers:
        if isinstance(logger, TensorBoardLogger):
            logger.experiment.add_image(name, pixels, epoch, dataformats="HWC")
        elif isinstance(logger, WandbLogger):
            # Lightning logs the metrics of the epoch at its last step, from 0.
            step, caption = trainer.global_step - 1, [f"epoch {epoch}"]
            logger.log_image(name, [pixels], step=step, caption=caption)
