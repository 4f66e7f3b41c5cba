"""Saves states and the best weights of a training."""

import math
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint

from pixelcnn import checkpoint
from pixelcnn.config import Config, TrainingConfig, to_yaml
from pixelcnn.errors import CheckpointError
from pixelcnn.files import atomic_write, finite_json, remove_leftovers, write_json, write_text
from pixelcnn.models import AutoregressiveModel
from pixelcnn.runs import (
    BEST_STATE,
    CONFIG_FILE,
    ENVIRONMENT_FILE,
    LAST_STATE,
    METRICS_FILE,
    MODEL_FILE,
    is_state_of,
    load_trained,
    read_state,
)
from pixelcnn.training.callbacks.history import History
from pixelcnn.version import versions

FILES = {CONFIG_FILE, ENVIRONMENT_FILE, METRICS_FILE, MODEL_FILE}


class RunCheckpoints(Checkpoint):
    """Saves the last states, the best state, and the best weights as a model file.

    Writes `checkpoints/last.ckpt` after every epoch, and `checkpoints/best.ckpt` and
    `model.safetensors` whenever the validation NLL is a new best. The states before the last one
    are `checkpoints/step-N.ckpt`, where N counts optimiser steps.

    Args:
        run_dir: Folder of the run.
        history: The metrics of the epochs.
        settings: How many of the last states stay, and how often they are written.
        card: What the card of the weights says besides the metrics.

    Attributes:
        best_entry: Entry of the history with the best weights; None before the first epoch ends.
        began_at: Optimiser steps of the state that this training resumed from.
        saved_at: Optimiser steps of the last state; None if none was written or resumed from.
    """

    def __init__(
        self,
        run_dir: Path,
        history: History,
        settings: TrainingConfig,
        *,
        card: Mapping[str, Any],
    ) -> None:
        self.last = run_dir / LAST_STATE
        self.best = run_dir / BEST_STATE
        self.weights = run_dir / MODEL_FILE
        self.history = history
        self.card = card
        self.settings = settings
        self.best_entry: dict[str, Any] | None = None
        self.began_at = 0
        self.saved_at: int | None = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # A run that resumes into a new folder has no best weights there.
        if not trainer.strategy.broadcast(trainer.is_global_zero and self.has_weights()):
            self.best_entry = None
        self.began_at = trainer.global_step
        if trainer.ckpt_path == str(self.last):
            self.saved_at = self.began_at
        if trainer.is_global_zero:
            remove_leftovers(self.weights.parent, FILES)
            remove_leftovers(self.last.parent, {self.last.name, self.best.name})

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        # At the start of a batch schedules, averages and counters have all taken their step. Not
        # between two batches of one step: a checkpoint does not hold their gradients.
        step = trainer.global_step
        every = self.settings.checkpoint_every_n_steps
        is_due = every and step % every == 0
        is_new = step not in (0, self.saved_at)
        if is_due and is_new and batch_idx % trainer.accumulate_grad_batches == 0:
            self.save_last(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        latest = self.history.entries[-1]
        if self.best_entry is None or comparable_nll(latest) < comparable_nll(self.best_entry):
            self.best_entry = latest
            trainer.save_checkpoint(self.best)
            with pl_module.validated_model() as model:  # type: ignore[operator]
                if trainer.is_global_zero:
                    self.save_weights(model, latest)
        self.save_last(trainer)

    def has_weights(self) -> bool:
        """Whether the model file holds the best weights; if not, they are taken from a state.

        It may hold those of a later epoch, if the training resumed from an earlier state.
        """
        if self.best_entry is None or holds_weights_of(self.weights, self.best_entry):
            return self.best_entry is not None
        for path in (self.best, self.last, *previous_states(self.last)):
            with suppress(CheckpointError):
                state = read_state(path)
                has_them = state["pixelcnn"]["stopped_at"][0] + 1 == self.best_entry["epoch"]
                if has_them and state["callbacks"][self.state_key] == self.state_dict():
                    self.save_weights(load_trained(path), self.best_entry)
                    return True
        return False

    def save_last(self, trainer: Trainer) -> None:
        """Writes the last state, and keeps `num_checkpoints` - 1 of those before it.

        Raises:
            NotFiniteError: Instead of writing a state that a training cannot resume from.
        """
        trainer.lightning_module.raise_if_not_finite()  # type: ignore[operator]
        if trainer.is_global_zero:
            keep_previous(self.last, self.saved_at, self.settings.num_checkpoints - 1)
        trainer.save_checkpoint(self.last)
        self.saved_at = trainer.global_step

    def resume_advice(self) -> str:
        """Which state the training can resume from, in words."""
        return f"The last good state is {self.last}." if self.saved_at else "No state was written."

    def state_dict(self) -> dict[str, Any]:
        return {"kept": self.best_entry}  # the name in the states of earlier versions

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.best_entry = state_dict["kept"]

    def save_weights(self, model: AutoregressiveModel, entry: Mapping[str, Any]) -> None:
        """Writes `model.safetensors` with a card that describes their training."""
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


def holds_weights_of(weights: Path, entry: Mapping[str, Any]) -> bool:
    """Whether a model file is undamaged and holds the weights of this entry of the history."""
    try:
        checkpoint.read_model(weights)
        card = checkpoint.read_card(weights)["training"]
    except CheckpointError:
        return False
    theirs = card.get("best_epoch"), card.get("val_nll_nats")
    return theirs == (entry["epoch"], finite_json(entry["val_nll"]))


def comparable_nll(entry: Mapping[str, Any]) -> float:
    """Validation NLL to compare by; NaN counts as infinite."""
    return entry["val_nll"] if math.isfinite(entry["val_nll"]) else math.inf


def keep_previous(last: Path, step: int | None, count: int) -> None:
    """Renames the last state before it is replaced, and removes the oldest ones."""
    if count and step is not None and last.exists():
        link_or_copy(last, last.with_name(f"step-{step}.ckpt"))
    for path in previous_states(last)[count:]:
        path.unlink(missing_ok=True)


def link_or_copy(source: Path, target: Path) -> None:
    """Gives a file, which is replaced and never changed, a second name; copies where links fail."""
    try:
        os.link(source, target)
    except FileExistsError:
        return
    except OSError:  # file systems without hard links say so in many ways
        with atomic_write(target) as temporary:
            shutil.copyfile(source, temporary)


def previous_states(last: Path) -> list[Path]:
    """The states kept besides the last one, the newest first."""
    paths = [path for path in last.parent.glob("step-*.ckpt") if path.stem[5:].isdigit()]
    return sorted(paths, key=step_of, reverse=True)


def step_of(path: Path) -> int:
    """Optimiser steps of an earlier state, by its name."""
    return int(path.stem[5:])


def begin_folder(
    config: Config, run_dir: Path, starts: Sequence[Mapping[str, Any]], *, step: int
) -> None:
    """Removes the earlier training from a folder when this one has its first state.

    Until then a failure leaves the earlier one complete. Its metrics, model and states go before
    the settings change: if the process is killed in between, files are missing, but never mixed.
    `step` counts optimiser steps of the state that this training resumed from.
    """
    (run_dir / METRICS_FILE).unlink(missing_ok=True)
    last = run_dir / LAST_STATE
    if is_state_of(run_dir, config.resume):
        for path in previous_states(last):
            if step_of(path) > step:  # resumed before it: what follows is another training
                path.unlink()
    else:
        for path in last.parent.glob("*.ckpt"):
            path.unlink()
        (run_dir / MODEL_FILE).unlink(missing_ok=True)
    write_settings(config, run_dir)
    write_json(run_dir / ENVIRONMENT_FILE, {"starts": starts})


def write_settings(config: Config, run_dir: Path) -> None:
    """Writes config.yaml, without the state that the run resumed from."""
    write_text(run_dir / CONFIG_FILE, to_yaml(replace(config, resume=None)))
