"""What a run keeps on disk while it trains."""

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
from pixelcnn.files import atomic_write, finite_json, remove_leftovers, write_text
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
from pixelcnn.training.environment import write_starts
from pixelcnn.version import versions

FILES = {CONFIG_FILE, ENVIRONMENT_FILE, METRICS_FILE, MODEL_FILE}


class RunCheckpoints(Checkpoint):
    """Keeps the last states, the best state, and the best weights ready for use.

    Writes `checkpoints/last.ckpt` after every epoch, and `checkpoints/best.ckpt` and
    `model.safetensors` whenever the validation NLL is a new best. The states before the last one
    are `checkpoints/step-N.ckpt`, where N counts optimiser steps.

    Args:
        run_dir: Folder of the run.
        history: Where the figures come from.
        settings: How many of the last states stay, and how often they are written.
        card: What the card of the weights says besides the figures.

    Attributes:
        kept: Entry of the history whose weights are kept; None before the first epoch ends.
        began_at: Optimiser steps of the state that this training went on from.
        saved_at: Optimiser steps of the last state; None if none was written or gone on from.
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
        self.kept: dict[str, Any] | None = None
        self.began_at = 0
        self.saved_at: int | None = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # A run resumed into a new folder has no best weights there, whatever came before.
        if not trainer.strategy.broadcast(trainer.is_global_zero and self.has_weights()):
            self.kept = None
        self.began_at = trainer.global_step
        if trainer.ckpt_path == str(self.last):
            self.saved_at = self.began_at
        if trainer.is_global_zero:
            remove_leftovers(self.weights.parent, FILES)
            remove_leftovers(self.last.parent, {self.last.name, self.best.name})

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        # At the start, when schedules, averages and counters have all taken their step; and not
        # between two batches of one step, whose gradients are in no checkpoint.
        step = trainer.global_step
        every = self.settings.checkpoint_every_n_steps
        is_due = every and step % every == 0
        is_new = step not in (0, self.saved_at)
        if is_due and is_new and batch_idx % trainer.accumulate_grad_batches == 0:
            self.save_last(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        latest = self.history.entries[-1]
        if self.kept is None or rank(latest) < rank(self.kept):
            self.kept = latest
            trainer.save_checkpoint(self.best)
            self.save_average(pl_module, latest)
        self.save_last(trainer)

    def has_weights(self) -> bool:
        """Whether the best weights are there; if not, they are taken from a state that has them.

        Others may be there instead: of epochs that came after a state that was gone back to.
        """
        if self.kept is None or is_of(self.weights, self.kept):
            return self.kept is not None
        for path in (self.best, self.last, *previous_states(self.last)):
            with suppress(CheckpointError):
                state = read_state(path)
                has_them = state["pixelcnn"]["stopped_at"][0] + 1 == self.kept["epoch"]
                if has_them and state["callbacks"][self.state_key] == self.state_dict():
                    self.save_weights(load_trained(path), self.kept)
                    return True
        return False

    def save_last(self, trainer: Trainer) -> None:
        """Writes the last state; those before it stay as far as they are asked for.

        Raises:
            NotFiniteError: Instead of writing a state that is no good to go on from.
        """
        trainer.lightning_module.raise_if_bad()  # type: ignore[operator]
        if trainer.is_global_zero:
            keep_previous(self.last, self.saved_at, self.settings.num_checkpoints - 1)
        trainer.save_checkpoint(self.last)
        self.saved_at = trainer.global_step

    def left(self) -> str:
        """What there is to go on from, in words."""
        return f"The last good state is {self.last}." if self.saved_at else "No state was written."

    def state_dict(self) -> dict[str, Any]:
        return {"kept": self.kept}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.kept = state_dict["kept"]

    def save_average(self, pl_module: LightningModule, entry: Mapping[str, Any]) -> None:
        """Writes the weights that validation measured."""
        with pl_module.as_validated() as model:  # type: ignore[operator]
            if pl_module.trainer.is_global_zero:
                self.save_weights(model, entry)

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


def is_of(weights: Path, entry: Mapping[str, Any]) -> bool:
    """Whether a file holds whole weights, and those of this entry of the history."""
    try:
        checkpoint.read_model(weights)
        card = checkpoint.read_card(weights)["training"]
    except CheckpointError:
        return False
    theirs = card.get("best_epoch"), card.get("val_nll_nats")
    return theirs == (entry["epoch"], finite_json(entry["val_nll"]))


def rank(entry: Mapping[str, Any]) -> float:
    """Validation NLL to compare by; what is no number loses to every number."""
    return entry["val_nll"] if math.isfinite(entry["val_nll"]) else math.inf


def keep_previous(last: Path, step: int | None, count: int) -> None:
    """Gives the last state a name of its own before it is replaced, and removes the oldest ones."""
    if count and step is not None and last.exists():
        link_or_copy(last, last.with_name(f"step-{step}.ckpt"))
    for path in previous_states(last)[count:]:
        path.unlink(missing_ok=True)


def link_or_copy(source: Path, target: Path) -> None:
    """A second name for a file that is never changed, only replaced; a copy where links fail."""
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
    """Gives the folder of an earlier training to this one, which now has a state to put there.

    Until then a failure leaves the earlier one whole. Its figures, model and states go before the
    settings change: if we are killed in between, something is missing, but nothing is mixed up.

    Args:
        config: Settings of the training.
        run_dir: Its folder.
        starts: Of the run, for `environment.json`.
        step: Optimiser steps of the state that it went on from.
    """
    (run_dir / METRICS_FILE).unlink(missing_ok=True)
    last = run_dir / LAST_STATE
    if is_state_of(run_dir, config.resume):
        for path in previous_states(last):
            if step_of(path) > step:  # we went back before it, and what follows is another training
                path.unlink()
    else:
        for path in last.parent.glob("*.ckpt"):
            path.unlink()
        (run_dir / MODEL_FILE).unlink(missing_ok=True)
    write_settings(config, run_dir)
    write_starts(run_dir, starts)


def write_settings(config: Config, run_dir: Path) -> None:
    """Writes config.yaml: what the run is, not where it went on from."""
    write_text(run_dir / CONFIG_FILE, to_yaml(replace(config, resume=None)))
