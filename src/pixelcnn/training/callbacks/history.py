"""The metrics of every epoch."""

import time
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer


class History(Callback):
    """One entry per epoch, saved in checkpoints so that a resumed run has all of them.

    Attributes:
        entries: `epoch` from 1, `train_nll` and `val_nll` in nats per image, `train_bpd` and
            `val_bpd` in bits per sub-pixel, `learning_rate`, `seconds`.
    """

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self._start = 0.0

    @property
    def seconds(self) -> float:
        """Wall time of all epochs."""
        return sum(entry["seconds"] for entry in self.entries)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # An epoch that resumes in the middle starts here for this process.
        self._start = time.perf_counter()

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._start = time.perf_counter()

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        # After resuming within an epoch Lightning counts one step too many for the loggers. This
        # callback comes first.
        trainer.fit_loop.epoch_loop._batches_that_stepped = trainer.global_step

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        names = ("train_nll", "val_nll", "train_bpd", "val_bpd")
        self.entries.append(
            {
                "epoch": trainer.current_epoch + 1,
                **{name: trainer.callback_metrics[name].item() for name in names},
                "learning_rate": trainer.optimizers[0].param_groups[0]["lr"],
                "seconds": time.perf_counter() - self._start,
            }
        )

    def state_dict(self) -> dict[str, Any]:
        return {"entries": list(self.entries)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.entries = list(state_dict["entries"])
