"""The Lightning module: loss, optimiser, and what is measured on the way."""

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
from pixelcnn.config import TrainingConfig, as_section
from pixelcnn.data import Batch, RankSlice
from pixelcnn.data.rank_slice import ALL
from pixelcnn.errors import NotFiniteError
from pixelcnn.logger import logger
from pixelcnn.models import AutoregressiveModel
from pixelcnn.training.callbacks.ema import ExponentialMovingAverage
from pixelcnn.training.checkpoint_io import state_card
from pixelcnn.training.compilation import Nll, compile_or_explain
from pixelcnn.training.distributed.fsdp import gathered, shard, whole
from pixelcnn.training.epoch_loader import EpochLoader, noise_seed
from pixelcnn.training.optimisation import (
    apply_settings,
    end_with_training,
    make_optimizer,
    make_plateau,
    make_schedule,
)

NEVER = 10**9
LOSS, GRADIENT = 0, 1


@named_arguments
class PixelCNNTrainer(LightningModule):
    """Trains any autoregressive model by maximum likelihood.

    The loss is the negative log-likelihood in nats per sub-pixel, so that learning rates carry
    over between image sizes. Logged are `train_nll` and `val_nll` in nats per image and
    `train_bpd` and `val_bpd` in bits per sub-pixel, each the mean over the images of an epoch.

    Args:
        model: What to train.
        training: How. A `TrainingConfig`, a dict of its fields, or None for the defaults.
        seed: Decides the noise of dropout, together with epoch, batch and process.
        part: Which images of every batch come here, of processes that train together. The loss is
            weighed so that their average is the mean over the whole batch.

    Attributes:
        model: The network.
        settings: The configuration of the training as it runs: `compile` is switched off if
            there is no working compiler.
        gradient_norm: Norm of the latest gradient, before it was clipped.

    Example:
        >>> from pixelcnn.models import PixelCNN
        >>> trainer = PixelCNNTrainer(PixelCNN(hidden_channels=8), {"learning_rate": "1e-2"})
        >>> trainer.settings.learning_rate
        0.01
    """

    bad: Tensor
    seen: Tensor

    def __init__(
        self,
        model: AutoregressiveModel,
        training: TrainingConfig | Mapping[str, Any] | None = None,
        *,
        seed: int = 0,
        part: RankSlice = ALL,
    ) -> None:
        super().__init__()
        self.part = part
        self.model = model
        self.settings = as_section(TrainingConfig, training)
        self.seed = seed
        self.gradient_norm = torch.tensor(0.0)
        # Number of the first batch with a loss or gradient that is no number, coded by `watch`.
        self.register_buffer("bad", torch.tensor(-1), persistent=False)
        # Nats of this epoch's training images so far, and their number.
        self.register_buffer("seen", torch.zeros(2), persistent=False)
        self._nll: Nll = self.plain_nll
        self._compiled_batch: int | None = None
        self._stopped_at = (0, 0)  # epoch, and batches of it that are done

    def plain_nll(self, x: Tensor, cond: Tensor | None) -> Tensor:
        """Negative log-likelihood of each image in nats. (B,)."""
        # Checking values waits for the device; `train_pixelcnn` checked the data once.
        return -self.model.log_prob(x, cond, check=False)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Nats per sub-pixel, averaged over the batch."""
        x, cond = self.split(batch)
        if self.settings.compile and self._compiled_batch is None:
            self.compile_loss(x, cond)
        # The smaller last batch would be compiled a second time for little.
        nll = (self._nll if len(x) == self._compiled_batch else self.plain_nll)(x, cond).mean()
        shared = self.num_shared(self.trainer.train_dataloader, batch_idx, x)
        self.count(nll.detach(), x, self.part.size(shared))
        self.watch(nll.detach(), batch_idx, LOSS)
        return nll * self.part.weight(shared) / x[0].numel()

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Measures only; in eval mode, without gradients."""
        x, cond = self.split(batch)
        shared = self.num_shared(self.trainer.val_dataloaders, batch_idx, x)
        self.record("val", self.plain_nll(x, cond).mean(), x, self.part.size(shared))

    @property
    def is_spread(self) -> bool:
        """Whether this process has a part of the weights only."""
        return self.settings.strategy == "fsdp" and self.part.world_size > 1

    def configure_model(self) -> None:
        if self.is_spread:
            assert self.device_mesh is not None
            shard(self.model, self.device_mesh["data_parallel"])

    @contextmanager
    def as_validated(self) -> Iterator[AutoregressiveModel]:
        """The model with the weights that validation measures: their average, if there is one.

        All processes that train together enter this; the first has the model, the others may not.
        """
        if self.is_spread:
            yield gathered(self.model)
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

    def num_shared(self, loader: Any, batch_idx: int, x: Tensor) -> int:
        """Images of a batch over all processes, of which `x` came here."""
        return loader.num_images(batch_idx) if self.part.world_size > 1 else len(x)

    def record(self, stage: str, nll: Tensor, x: Tensor, count: int) -> None:
        """Adds a mean over `count` images to the epoch's; nothing waits for it."""
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

    def count(self, nll: Tensor, x: Tensor, count: int) -> None:
        """Adds a mean over `count` training images to the epoch's.

        Lightning's own sums would forget the first half of an epoch that is resumed in the middle.
        """
        self.seen += torch.stack((nll * count, torch.full_like(nll, count)))
        self.log("train_nll_step", nll, on_step=True, on_epoch=False)
        if self.trainer.is_last_batch:
            seen = self.seen_by_all()
            self.record("train", seen[0] / seen[1], x, 1)

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

    def watch(self, value: Tensor, batch_idx: int, what: int) -> None:
        """Remembers the first batch with a value that is no number; nothing waits for it.

        Args:
            value: A loss, or the norm of the gradients.
            batch_idx: Which batch of the epoch.
            what: `LOSS` or `GRADIENT`.
        """
        code = torch.full_like(self.bad, 2 * batch_idx + what)
        self.bad = torch.where(~value.isfinite() & (self.bad < 0), code, self.bad)

    def raise_if_bad(self) -> None:
        """Raises `NotFiniteError` if a loss or gradient was no number. Waits for the device."""
        if self.bad >= 0:
            batch, what = divmod(int(self.bad), 2)
            named = "gradient" if what == GRADIENT else "loss"
            raise NotFiniteError(
                f"The {named} must be finite, but was not in epoch {self.current_epoch + 1}, batch "
                f"{batch + 1}. Lower `training.learning_rate` (now "
                f"{self.settings.learning_rate:g}), set `training.gradient_clip_val`, or use "
                f"`training.precision` 32-true."
            )

    def on_train_start(self) -> None:
        epoch, position = self._stopped_at
        position = position if epoch == self.current_epoch else 0
        self.tell_loader(position)
        if isinstance(schedule := self.lr_schedulers(), LambdaLR):
            end_with_training(schedule, self.settings, self.trainer, position)

    def on_train_epoch_start(self) -> None:
        self._stopped_at = (self.current_epoch, 0)
        self.tell_loader(0)
        self.seen.zero_()

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        # Not one stream for the whole run: a batch of a resumed epoch would see other noise.
        epoch, rank = self.current_epoch, self.global_rank
        torch.manual_seed(noise_seed(self.seed, epoch, batch_idx, rank))
        # Later, and in weights to go on from, no layer is new. Parts were set before they were cut.
        if self.global_step == 0 and not self.is_spread:
            self.model.initialise(*self.split(self.shared_batch(batch)))

    def shared_batch(self, batch: Batch) -> Batch:
        """The first batch with all of its images, so that all processes begin alike."""
        if self.part.world_size == 1:
            return batch
        found: Batch = self.trainer.train_dataloader.first_whole()  # type: ignore[union-attr]
        return found.to(self.device)

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        self._stopped_at = (self.current_epoch, batch_idx + 1)
        if (batch_idx + 1) % self.trainer.log_every_n_steps == 0:  # type: ignore[attr-defined]
            self.raise_if_bad()

    def on_validation_start(self) -> None:
        self.raise_if_bad()

    def tell_loader(self, position: int) -> None:
        """Tells our own loader which epoch comes, and how many batches of it are done."""
        loader = self.trainer.train_dataloader
        if isinstance(loader, EpochLoader):
            loader.epoch = self.current_epoch
            loader.position = position

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
        self.gradient_norm = whole(norm)
        if self.settings.precision != "16-mixed":  # its scaler skips steps with infinite gradients
            self.watch(self.gradient_norm, self._stopped_at[1], GRADIENT)
        if gradient_clip_val is not None:
            nn.utils.clip_grads_with_norm_(parameters, gradient_clip_val, norm)

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
