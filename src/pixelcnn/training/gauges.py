"""What the loggers are told besides the loss: gradients, speed, memory."""

from typing import Any

import psutil  # type: ignore[import-untyped]
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor, nn
from torch.optim import Optimizer

from pixelcnn.training.pace import Pace

GIB = 2**30


class Gauges(Callback):
    """Logs `gradient_norm`, `images_per_second` and `memory_gib` at the steps that are logged.

    At all other steps nothing is computed, and no device is waited for.

    Args:
        pace: Measures the speed.
    """

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self._is_due = False
        self._last = (0, 0.0)

    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer
    ) -> None:
        # The step with this number is about to be done; Lightning logs by the same count.
        self._is_due = (trainer.global_step + 1) % trainer.log_every_n_steps == 0  # type: ignore[attr-defined]
        if self._is_due:
            # Here gradients are unscaled, and not clipped yet.
            pl_module.log("gradient_norm", gradient_norm(pl_module))

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if not self._is_due:
            return
        self._is_due = False
        if pl_module.device.type == "cuda":
            torch.cuda.synchronize(pl_module.device)  # steps that are only queued are not done
        speed = self.pace.speed_since(*self._last)
        self._last = (self.pace.images, self.pace.seconds)
        pl_module.log("images_per_second", speed)
        pl_module.log("memory_gib", memory_in_use(pl_module.device) / GIB)


def gradient_norm(module: nn.Module) -> Tensor:
    """Euclidean norm of all gradients together. A scalar tensor; nothing waits for it."""
    grads = [each.grad for each in module.parameters() if each.grad is not None]
    return torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g) for g in grads]))


def memory_in_use(device: torch.device) -> int:
    """Bytes: the most that tensors took on a CUDA device so far, else what is in use now.

    On a processor that is the resident memory of this process.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if device.type == "mps":
        return torch.mps.driver_allocated_memory()
    return int(psutil.Process().memory_info().rss)
