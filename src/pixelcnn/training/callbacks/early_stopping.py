"""Early stopping that lasts when a run resumes."""

from collections.abc import Mapping
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import EarlyStopping


class ResumableEarlyStopping(EarlyStopping):
    """Lightning's early stopping, which stays stopped when a run resumes after it.

    Lightning would train for another epoch or more, so that a run that was killed during its final
    evaluation would end with other weights; and it would use the patience in the state.

    Args:
        patience: Epochs without a better validation NLL after which the training ends.
    """

    def __init__(self, patience: int) -> None:
        super().__init__("val_nll", patience=patience, mode="min")

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.wait_count >= self.patience:
            trainer.should_stop = True

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict({**state_dict, "patience": self.patience})


def has_stopped(state: Mapping[str, Any], patience: int | None) -> bool:
    """Whether early stopping of this patience has ended the training that left a state."""
    if patience is None:
        return False
    counts = [each["wait_count"] for each in state["callbacks"].values() if "wait_count" in each]
    return any(count >= patience for count in counts)
