"""A trial training for Lightning's tuner, which leaves nothing behind."""

import copy
import io
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stderr
from dataclasses import replace
from tempfile import TemporaryDirectory

import numpy as np
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.tuner import Tuner
from torch import Tensor
from torch.optim import Optimizer

from pixelcnn.config import Config
from pixelcnn.data import Batch, DataSplits
from pixelcnn.logger import quiet_libraries
from pixelcnn.models import AutoregressiveModel
from pixelcnn.processes import Process
from pixelcnn.training.distributed.devices import device_options
from pixelcnn.training.loaders import EpochLoader, make_loaders
from pixelcnn.training.module import PixelCNNTrainer
from pixelcnn.training.optimisation.optimizers import make_optimizer


@contextmanager
def trial_training(
    config: Config, model: AutoregressiveModel, data: DataSplits
) -> Iterator["Trial"]:
    """A trial training, of which nothing is left after the block.

    The block has its own random state, and libraries print nothing but Lightning's bar.
    """
    python, numpy = random.getstate(), np.random.get_state()
    bar = nullcontext() if sys.stderr.isatty() else redirect_stderr(io.StringIO())
    with TemporaryDirectory() as folder, torch.random.fork_rng(), quiet_libraries(), bar:
        torch.manual_seed(config.seed)
        trial = Trial(config, model, data, folder)
        try:
            yield trial
        finally:
            trial.close()
            random.setstate(python)
            np.random.set_state(numpy)


class Trial(LightningModule):
    """The loss and the optimiser of a training, without its callbacks and files.

    Attributes:
        batch_size: What Lightning's batch-size finder changes.
        losses: Nats per sub-pixel at each step of the optimiser so far.
    """

    def __init__(
        self, config: Config, model: AutoregressiveModel, data: DataSplits, folder: str
    ) -> None:
        super().__init__()
        self.config = config
        self.data = data
        self.folder = folder
        self.batch_size = config.data.batch_size
        settings = replace(config.training, compile=False)
        self.module = PixelCNNTrainer(copy.deepcopy(model), settings, seed=config.seed)
        self.losses: list[float] = []
        self._latest = torch.tensor(0.0)
        self._loader: EpochLoader | None = None

    def tuner(self) -> Tuner:
        """Lightning's tuner, with a trainer that shows nothing."""
        training = self.config.training
        trainer = Trainer(
            **device_options(self.config, Process()),
            precision=training.precision_of_trainer,
            max_epochs=-1,
            gradient_clip_val=training.gradient_clip_val,
            accumulate_grad_batches=training.accumulate_grad_batches,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            deterministic=training.deterministic or None,
            default_root_dir=self.folder,
        )
        return Tuner(trainer)

    def train_dataloader(self) -> EpochLoader:
        self.close()
        sized = replace(self.config.data, batch_size=self.batch_size)
        self._loader, _ = make_loaders(replace(self.config, data=sized), self.data)
        return self._loader

    def close(self) -> None:
        """Ends the processes that read images."""
        if self._loader is not None:
            self._loader.close()

    def on_train_epoch_start(self) -> None:
        assert self._loader is not None
        self._loader.epoch = self.current_epoch

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        if self.global_step == 0:
            self.module.model.initialise(*self.module.split(batch))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        x, cond = self.module.split(batch)
        loss = self.module.plain_nll(x, cond).mean() / x[0].numel()
        self._latest = loss.detach()
        return loss

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        self.losses.append(self._latest.item())

    def configure_optimizers(self) -> Optimizer:
        return make_optimizer(self.module.model, self.module.settings)

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        self.module.configure_gradient_clipping(optimizer, gradient_clip_val)
