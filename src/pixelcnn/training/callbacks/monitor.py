"""Logs gradient norm, speed and memory."""

from typing import Any

import psutil  # type: ignore[import-untyped]
import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from pixelcnn.training.callbacks.throughput import Throughput

GIB = 2**30


class TrainingMonitor(Callback):
    """Logs `gradient_norm`, `images_per_second` and `memory_gib` at the steps that are logged.

    At all other steps nothing is computed, and nothing waits for a device.
    """

    def __init__(self, throughput: Throughput) -> None:
        self.throughput = throughput
        self._logged_step = 0
        self._last = (0, 0.0)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._logged_step = trainer.global_step  # a resumed run has logged it

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        # Accumulated batches leave the number of steps as it is.
        step = trainer.global_step
        if step == self._logged_step or step % trainer.log_every_n_steps:  # type: ignore[attr-defined]
            return
        self._logged_step = step
        if pl_module.device.type == "cuda":
            torch.cuda.synchronize(pl_module.device)  # queued steps are not done
        speed = self.throughput.speed_since(*self._last)
        self._last = (self.throughput.images, self.throughput.seconds)
        pl_module.log("gradient_norm", pl_module.gradient_norm)  # type: ignore[arg-type]
        pl_module.log("images_per_second", speed)
        pl_module.log("memory_gib", memory_in_use(pl_module.device) / GIB)


def memory_in_use(device: torch.device) -> int:
    """Bytes: the peak of tensors on a CUDA device, else the memory in use now.

    On a CPU that is the resident memory of this process.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if device.type == "mps":
        return torch.mps.driver_allocated_memory()
    return int(psutil.Process().memory_info().rss)
