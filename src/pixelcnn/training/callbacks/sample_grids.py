"""Sample grids, drawn while a model learns."""

from dataclasses import asdict
from pathlib import Path

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from pixelcnn.checkpoint import fingerprint
from pixelcnn.config import SamplingConfig
from pixelcnn.data import Conditions
from pixelcnn.device import deterministic_algorithms
from pixelcnn.models import AutoregressiveModel
from pixelcnn.plots import generation_notes, image_grid, save_png, screen_scale
from pixelcnn.training.callbacks.logged_images import Chosen, log_picture


class SampleGrids(Callback):
    """Draws a grid of samples after chosen epochs, into the run folder and the loggers.

    The same noise every time: what changes between two grids is the model.

    Args:
        folder: Where the pictures go.
        chosen: After which epochs.
        sampling: How to draw.
        seed: Seed of the noise.
        conditions: Those of some images, of which the first serve a model of attributes or maps.
    """

    def __init__(
        self,
        folder: Path,
        *,
        chosen: Chosen,
        sampling: SamplingConfig,
        seed: int,
        conditions: Conditions,
    ) -> None:
        self.folder = folder
        self.chosen = chosen
        self.sampling = sampling
        self.seed = seed
        self.conditions = conditions.first(sampling.num_samples)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        epoch = trainer.current_epoch + 1
        if not self.chosen(epoch):
            return
        model: AutoregressiveModel
        with pl_module.as_validated() as model:  # type: ignore[operator]
            if not trainer.is_global_zero:
                return
            grid, columns = self.draw(model)
            drawn_by = fingerprint(model)
        picture = image_grid(
            grid, model.num_classes, columns=columns, scale=screen_scale(*grid.shape[2:])
        )
        notes = generation_notes(
            fingerprint=drawn_by,
            settings={"epoch": epoch, "seed": self.seed, **asdict(self.sampling)},
        )
        save_png(self.folder / f"epoch-{epoch:03d}.png", picture, text=notes)
        log_picture(trainer, "samples", picture, epoch)

    @torch.no_grad()
    def draw(self, model: AutoregressiveModel) -> tuple[Tensor, int | None]:
        """Images (N, C, H, W), and how many belong in a row of the grid."""
        cond, count, columns = self.condition_to_draw(model)
        was_training = model.training
        model.eval()
        try:
            # On GPUs PyTorch refuses all cumulative sums where determinism is asked for; those
            # along the rows of a table, which drawing takes, are the same each time.
            with deterministic_algorithms(False):
                drawn = model.generate(
                    num_samples=count,
                    cond=cond,
                    **self.sampling.options,
                    generator=torch.Generator().manual_seed(self.seed),
                )
        finally:
            model.train(was_training)
        return drawn.cpu(), columns

    def condition_to_draw(
        self, model: AutoregressiveModel
    ) -> tuple[Tensor | None, int, int | None]:
        """A condition per image or None, the number of images, and the images in a row of a grid.

        A model of labels draws `per_label` of each label, or `num_samples` labels in turn.
        """
        count, per_label = self.sampling.num_samples, self.sampling.per_label
        if model.num_labels is None:
            return self.conditions.of(model.condition.kind), count, None
        if per_label is not None:
            labels = torch.arange(model.num_labels).repeat_interleave(per_label)
            return labels, len(labels), per_label
        return torch.arange(count) % model.num_labels, count, None
