"""Sample grids while a model trains."""

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
from pixelcnn.training.callbacks.logged_images import Chosen, log_image_array


class SampleGrids(Callback):
    """Saves a grid of samples after chosen epochs, in the run folder and the loggers.

    The noise is the same every time: only the model changes between two grids.

    Args:
        folder: The folder of the grids.
        chosen: After which epochs.
        sampling: Options of sampling.
        seed: Seed of the noise.
        conditions: Conditions of images, for a model conditioned on attributes or maps.
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
        with pl_module.validated_model() as model:  # type: ignore[operator]
            if not trainer.is_global_zero:
                return
            grid, columns = self.sample(model)
            weights = fingerprint(model)
        grid_image = image_grid(
            grid, model.num_classes, columns=columns, scale=screen_scale(*grid.shape[2:])
        )
        notes = generation_notes(
            fingerprint=weights,
            settings={"epoch": epoch, "seed": self.seed, **asdict(self.sampling)},
        )
        save_png(self.folder / f"epoch-{epoch:03d}.png", grid_image, text=notes)
        log_image_array(trainer, "samples", grid_image, epoch)

    def sample(self, model: AutoregressiveModel) -> tuple[Tensor, int | None]:
        """Images (N, C, H, W), and the number of them in a row of the grid."""
        cond, count, columns = self.condition_of_grid(model)
        # On GPUs PyTorch refuses all cumulative sums in deterministic mode; those along rows,
        # which sampling takes, are deterministic.
        with deterministic_algorithms(False):
            images = model.generate(
                num_samples=count,
                cond=cond,
                **self.sampling.options,
                generator=torch.Generator().manual_seed(self.seed),
            )
        return images.cpu(), columns

    def condition_of_grid(
        self, model: AutoregressiveModel
    ) -> tuple[Tensor | None, int, int | None]:
        """A condition per image or None, the number of images, and the images in a row of a grid.

        With labels there are `per_label` images of each, or `num_samples` with the labels in turn.
        """
        count, per_label = self.sampling.num_samples, self.sampling.per_label
        if model.num_labels is None:
            return self.conditions.of(model.condition.kind), count, None
        if per_label is not None:
            labels = torch.arange(model.num_labels).repeat_interleave(per_label)
            return labels, len(labels), per_label
        return torch.arange(count) % model.num_labels, count, None
