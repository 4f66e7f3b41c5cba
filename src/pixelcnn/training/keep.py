"""What a run keeps on disk while it trains."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint

from pixelcnn import checkpoint
from pixelcnn.config import Config, to_yaml
from pixelcnn.files import write_text
from pixelcnn.models import AutoregressiveModel
from pixelcnn.training.environment import write_starts
from pixelcnn.training.history import History
from pixelcnn.version import versions


class KeepCheckpoints(Checkpoint):
    """Keeps the last state, the best state, and the best weights ready for use.

    Writes `checkpoints/last.ckpt` after every epoch, and `checkpoints/best.ckpt` and
    `model.safetensors` whenever the validation NLL is a new best.

    Args:
        run_dir: Folder of the run.
        history: Where the figures come from.
        card: What the card of the weights says besides the figures.

    Attributes:
        kept: Entry of the history whose weights are kept; None before the first epoch ends.
    """

    def __init__(
        self,
        run_dir: Path,
        history: History,
        *,
        card: Mapping[str, Any],
    ) -> None:
        self.last = run_dir / "checkpoints" / "last.ckpt"
        self.best = run_dir / "checkpoints" / "best.ckpt"
        self.weights = run_dir / "model.safetensors"
        self.history = history
        self.card = card
        self.kept: dict[str, Any] | None = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # A run resumed into a new folder has no best weights there, whatever came before.
        if not self.weights.exists():
            self.kept = None

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        latest = self.history.entries[-1]
        if self.kept is None or rank(latest) < rank(self.kept):
            self.kept = latest
            trainer.save_checkpoint(self.best)
            self.save_weights(pl_module.model, latest)  # type: ignore[arg-type]
        trainer.save_checkpoint(self.last)

    def state_dict(self) -> dict[str, Any]:
        return {"kept": self.kept}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.kept = state_dict["kept"]

    def save_weights(self, model: AutoregressiveModel, entry: Mapping[str, Any]) -> None:
        """Writes `model.safetensors` with a card that says how the weights came to be."""
        training = {
            **self.card,
            "epochs": len(self.history.entries),
            "best_epoch": entry["epoch"],
            "val_nll_nats": entry["val_nll"],
            "val_bits_per_dim": entry["val_bpd"],
            "seconds": round(self.history.seconds, 3),
            "versions": versions(),
        }
        checkpoint.save(model, self.weights, training=training)


def rank(entry: Mapping[str, Any]) -> float:
    """Validation NLL to compare by; what is no number loses to every number."""
    return entry["val_nll"] if math.isfinite(entry["val_nll"]) else math.inf


def begin_folder(config: Config, run_dir: Path, starts: Sequence[Mapping[str, Any]]) -> None:
    """Gives the folder of an earlier training to this one, which now has a state to put there.

    Until then a failure leaves the earlier one whole. Its figures, model and states go before the
    settings change: if we are killed in between, something is missing, but nothing is mixed up.
    """
    if config.resume is None and (run_dir / "model.safetensors").exists():
        for name in ("metrics.json", *(f"checkpoints/{state}.ckpt" for state in ("best", "last"))):
            (run_dir / name).unlink(missing_ok=True)
        (run_dir / "model.safetensors").unlink()
    write_text(run_dir / "config.yaml", to_yaml(config))
    write_starts(run_dir, starts)
