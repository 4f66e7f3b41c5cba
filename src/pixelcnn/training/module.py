"""The Lightning module: loss, optimiser, metrics and checkpoints."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from pixelcnn.arguments import named_arguments
from pixelcnn.config import ModelConfig, TrainingConfig, as_section
from pixelcnn.data import Batch, RankSlice
from pixelcnn.data.rank_slice import ALL
from pixelcnn.logger import logger
from pixelcnn.models import AutoregressiveModel
from pixelcnn.runs import load_trained, read_state
from pixelcnn.training.build import default_model
from pixelcnn.training.callbacks.ema import ExponentialMovingAverage
from pixelcnn.training.checkpoint_io import state_card
from pixelcnn.training.compilation import Nll, compile_or_explain
from pixelcnn.training.distributed.fsdp import full_value, gather_model, shard
from pixelcnn.training.loaders import BatchReader, EpochLoader, noise_seed
from pixelcnn.training.optimisation.finite_check import GRADIENT, LOSS, FiniteCheck
from pixelcnn.training.optimisation.optimizers import (
    apply_settings,
    make_optimizer,
    make_plateau,
    make_schedule,
    set_schedule_length,
)

NEVER = 10**9


@named_arguments
class PixelCNNTrainer(LightningModule):
    """Trains any autoregressive model by maximum likelihood.

    The loss is the negative log-likelihood in nats per sub-pixel, so that learning rates carry
    over between image sizes. It logs the mean over the images of an epoch: `train_nll`,
    `val_nll` and `test_nll` in nats per image, and each as `…_bpd` in bits per sub-pixel.

    It also works with a plain `Trainer` of Lightning and loaders of PyTorch that yield images
    (B, C, H, W), or pairs of images and labels: levels, or floats that stand for levels, see
    `pixelcnn.spec.FloatReader`. Epochs, precision, devices, accumulation and callbacks are then
    those of the `Trainer`; optimiser, schedule, clipping and `compile: true` those of `training`.

    Args:
        model: A model, or a `ModelConfig` or a dict of its settings to build one by.
        training: How. A `TrainingConfig`, a dict of its fields, or None for the defaults.
        seed: Decides the noise of dropout, together with epoch, batch and process.
        part: Which images of every batch this process takes, of those that train together. The loss
            is weighted so that their average is the mean over the whole batch.

    Attributes:
        model: The network.
        settings: The configuration of the training as it runs: `compile` is switched off if
            there is no working compiler.
        gradient_norm: Norm of the latest gradient, before it was clipped.

    Example:
        >>> trainer = PixelCNNTrainer({"hidden_channels": 8}, {"learning_rate": "1e-2"})
        >>> trainer.model.name, trainer.settings.learning_rate
        ('pixelcnn', 0.01)
    """

    seen: Tensor

    def __init__(
        self,
        model: AutoregressiveModel | ModelConfig | Mapping[str, Any] | None = None,
        training: TrainingConfig | Mapping[str, Any] | None = None,
        *,
        seed: int = 0,
        part: RankSlice = ALL,
    ) -> None:
        super().__init__()
        self.part = part
        self.model = model if isinstance(model, AutoregressiveModel) else default_model(model)
        self.settings = as_section(TrainingConfig, training)
        self.seed = seed
        self.read_batch = BatchReader(self.model)
        self.gradient_norm = torch.tensor(0.0)
        self.finite = FiniteCheck()
        # Nats of this epoch's training images so far, and their number.
        self.register_buffer("seen", torch.zeros(2), persistent=False)
        self._nll: Nll = self.plain_nll
        self._compiled_batch: int | None = None
        self._stopped_at = (0, 0)  # epoch, and batches of it that are done

    @classmethod
    def load_from_checkpoint(cls, checkpoint_path: Any, **options: Any) -> "PixelCNNTrainer":  # type: ignore[override]
        """Opens a `.ckpt` of `train_pixelcnn` or of a plain `Trainer`; only `map_location` counts.

        Raises:
            CheckpointError: If the file is missing, damaged or of another program.
        """
        card = read_state(checkpoint_path, needs_checksum=False)["pixelcnn"]
        module = cls(load_trained(checkpoint_path), card.get("training"), seed=card["seed"])
        return module.to(options.get("map_location") or "cpu").eval()

    def plain_nll(self, x: Tensor, cond: Tensor | None) -> Tensor:
        """Negative log-likelihood of each image in nats. (B,)."""
        # Checking values waits for the device; data and batches are checked before.
        return -self.model.log_prob(x, cond, check=False)

    def on_before_batch_transfer(self, batch: Any, dataloader_idx: int) -> Batch:
        return self.read_batch(batch)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Nats per sub-pixel, averaged over the batch."""
        x, cond = self.split(batch)
        if self.settings.compile is True and self._compiled_batch is None:
            self.compile_loss(x, cond)
        # The smaller last batch would be compiled a second time for little.
        nll = (self._nll if len(x) == self._compiled_batch else self.plain_nll)(x, cond).mean()
        total = self.num_images(self.trainer.train_dataloader, batch_idx, x)
        self.add_to_epoch(nll.detach(), x, self.part.size(total))
        self.finite.watch(nll.detach(), batch_idx, LOSS)
        return nll * self.part.weight(total) / x[0].numel()

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Measures only; in eval mode, without gradients."""
        x, cond = self.split(batch)
        run = self.trainer
        loader = run.test_dataloaders if run.testing else run.val_dataloaders
        total, stage = self.num_images(loader, batch_idx, x), "test" if run.testing else "val"
        self.log_mean(stage, self.plain_nll(x, cond).mean(), x, self.part.size(total))

    test_step = validation_step

    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Negative log-likelihood of each image in nats. (B,)."""
        return self.plain_nll(*self.split(batch))

    @property
    def is_sharded(self) -> bool:
        """Whether this process holds only a part of the weights (FSDP)."""
        return self.settings.strategy == "fsdp" and self.part.world_size > 1

    def configure_model(self) -> None:
        if self.is_sharded:
            assert self.device_mesh is not None
            shard(self.model, self.device_mesh["data_parallel"])

    @contextmanager
    def validated_model(self) -> Iterator[AutoregressiveModel]:
        """The model with the weights that validation uses: their moving average, if there is one.

        All processes of the training enter this block; only the first is sure to get the weights.
        """
        if self.is_sharded:
            yield gather_model(self.model)
            return
        for callback in self.trainer.callbacks:  # type: ignore[attr-defined]
            if isinstance(callback, ExponentialMovingAverage):
                with callback.in_place(self):
                    yield self.model
                return
        yield self.model

    def split(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """Images, and what the model is conditioned on."""
        return batch.x, batch.conditions.of(self.model.condition.kind)

    def num_images(self, loader: Any, batch_idx: int, x: Tensor) -> int:
        """Images of a batch over all processes; `x` are those of this one."""
        return loader.num_images(batch_idx) if self.part.world_size > 1 else len(x)

    def log_mean(self, stage: str, nll: Tensor, x: Tensor, count: int) -> None:
        """Logs a mean over `count` images for the mean of the epoch; nothing waits for it."""
        values = {f"{stage}_nll": nll, f"{stage}_bpd": nll / (x[0].numel() * math.log(2))}
        self.log_dict(
            values,
            on_step=False,
            on_epoch=True,
            prog_bar=stage == "val",
            # Lightning averages whole numbers over processes, and rounds them down.
            batch_size=count * self.part.world_size,
            sync_dist=True,
        )

    def add_to_epoch(self, nll: Tensor, x: Tensor, count: int) -> None:
        """Adds a mean over `count` training images to that of the epoch.

        Lightning's own sums forget the first part of an epoch that is resumed in the middle.
        """
        self.seen += torch.stack((nll * count, torch.full_like(nll, count)))
        self.log("train_nll_step", nll, on_step=True, on_epoch=False)
        if self.trainer.is_last_batch:
            seen = self.seen_by_all()
            self.log_mean("train", seen[0] / seen[1], x, 1)

    def seen_by_all(self) -> Tensor:
        """What `seen` counts, over all processes."""
        found: Tensor = self.trainer.strategy.reduce(self.seen.clone(), reduce_op="sum")
        return found

    def compile_loss(self, x: Tensor, cond: Tensor | None) -> None:
        """Compiles the loss for batches of this size, or says why not and goes on without."""
        self._compiled_batch = len(x)
        self._nll, reason = compile_or_explain(self.plain_nll, x, cond, self.model.parameters())
        if reason is not None:
            self.settings = replace(self.settings, compile=False)
            logger.warning(f"Training without torch.compile, which failed: {reason}")

    def raise_if_not_finite(self) -> None:
        """Raises `NotFiniteError` if a loss or gradient was not finite. Waits for the device."""
        self.finite.raise_if_any(self.current_epoch, self.settings.learning_rate)

    def on_train_start(self) -> None:
        epoch, position = self._stopped_at
        position = position if epoch == self.current_epoch else 0
        self.set_position(position)
        if isinstance(schedule := self.lr_schedulers(), LambdaLR):
            set_schedule_length(schedule, self.settings, self.trainer, position)

    def on_train_epoch_start(self) -> None:
        self._stopped_at = (self.current_epoch, 0)
        self.set_position(0)
        self.seen.zero_()

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        # Not one stream for the whole run: a batch of a resumed epoch would see other noise.
        torch.manual_seed(noise_seed(self.seed, self.current_epoch, batch_idx, self.global_rank))
        # Only a new model; a sharded one was initialised before it was sharded.
        if self.global_step == 0 and not self.is_sharded:
            if self.part.world_size > 1:  # with the images of all, so that all initialise alike
                whole = self.trainer.train_dataloader.first_whole()  # type: ignore[union-attr]
                batch = whole.to(self.device)
            self.model.initialise(*self.split(batch))

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        self._stopped_at = (self.current_epoch, batch_idx + 1)
        if (batch_idx + 1) % self.trainer.log_every_n_steps == 0:  # type: ignore[attr-defined]
            self.raise_if_not_finite()

    def on_validation_start(self) -> None:
        self.raise_if_not_finite()

    def set_position(self, position: int) -> None:
        """Sets the epoch of our own loader, and how many batches of it are done."""
        if isinstance(loader := self.trainer.train_dataloader, EpochLoader):
            loader.epoch, loader.position = self.current_epoch, position

    def on_train_epoch_end(self) -> None:
        if self.settings.schedule == "plateau":
            schedule = self.lr_schedulers()
            metrics = self.trainer.callback_metrics
            schedule.step(metrics["val_nll" if "val_nll" in metrics else "train_nll"])  # type: ignore[union-attr, arg-type]

    def configure_optimizers(self) -> Any:
        optimizer = make_optimizer(self.model, self.settings)
        if self.settings.schedule == "plateau":
            # Lightning would step it after the checkpoint of the epoch is written, and a resumed
            # run would have missed that step. We step it ourselves; Lightning only stores it.
            plan = {"scheduler": make_plateau(optimizer), "frequency": NEVER, "monitor": "val_nll"}
        else:
            num_steps = int(self.trainer.estimated_stepping_batches)
            schedule = make_schedule(optimizer, self.settings, num_steps)
            plan = {"scheduler": schedule, "interval": "step"}
        return {"optimizer": optimizer, "lr_scheduler": plan}

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        # Lightning refuses to clip for fused optimisers, which is right for float16 only; there
        # the gradients are unscaled by now, and `make_optimizer` does not fuse.
        parameters = [each for each in self.model.parameters() if each.grad is not None]
        norm = nn.utils.get_total_norm([each.grad for each in parameters])  # type: ignore[misc]
        self.gradient_norm = full_value(norm)
        if self.settings.precision != "16-mixed":  # its scaler skips steps with infinite gradients
            self.finite.watch(self.gradient_norm, self._stopped_at[1], GRADIENT)
        # A plain `Trainer` has no value of its own.
        limit = self.settings.gradient_clip_val if gradient_clip_val is None else gradient_clip_val
        if limit is not None:
            nn.utils.clip_grads_with_norm_(parameters, limit, norm)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        loader = self.trainer.train_dataloader
        checkpoint["pixelcnn"] = {
            **state_card(
                self.model, self.settings, loader, seed=self.seed, stopped_at=self._stopped_at
            ),
            "seen": self.seen_by_all(),
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        epoch, position = checkpoint["pixelcnn"]["stopped_at"]
        self._stopped_at = (epoch, position)
        self.seen.copy_(checkpoint["pixelcnn"]["seen"] / self.part.world_size)
        apply_settings(checkpoint, self.settings)
