"""Resuming a training: from which state, and whether it fits the settings."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from pixelcnn.config import AUTO, TIMED, Config, TrainingConfig, as_section
from pixelcnn.errors import CheckpointError, ConfigError, PixelCNNError
from pixelcnn.logger import logger
from pixelcnn.models import AutoregressiveModel
from pixelcnn.runs import BEST_STATE, LAST_STATE, read_state
from pixelcnn.training.callbacks.checkpoints import previous_states
from pixelcnn.training.callbacks.early_stopping import has_stopped


def find_state(resume: str | Path | None, run_dir: Path) -> Path | None:
    """The state to resume from.

    Args:
        resume: A file; "auto" for the newest undamaged state in `run_dir`; or None.
        run_dir: Folder of the run.

    Returns:
        A file that can be read. None: a new start.

    Raises:
        CheckpointError: If the file cannot be read; with "auto", if there are states and none of
            them can.
    """
    if resume is None:
        return None
    if resume != AUTO:
        read_state(resume)
        return Path(resume)
    last = run_dir / LAST_STATE
    every = (last, *previous_states(last), run_dir / BEST_STATE)  # the newest first
    paths = [path for path in every if path.exists()]
    for path in paths:
        try:
            read_state(path)
        except CheckpointError as error:
            logger.warning(f"Skipping a state: {error}")
            continue
        logger.info(f"Resuming from {path}.")
        return path
    if paths:
        raise CheckpointError(
            f"A state in `{last.parent}` must be undamaged to resume, but all of them are damaged. "
            f"Remove that folder to start anew."
        )
    return None


def keep_chosen(training: TrainingConfig, state: Mapping[str, Any]) -> TrainingConfig:
    """Replaces "auto" by what the run of a state began with, also on another machine."""
    began = state["pixelcnn"].get("training", {})
    auto = [name for name in TIMED if getattr(training, name) == AUTO and name in began]
    return as_section(TrainingConfig, asdict(training) | {name: began[name] for name in auto})


@contextmanager
def naming_state(path: str | Path | None, has_begun: Callable[[], bool]) -> Iterator[None]:
    """Makes an error over what a state holds a `CheckpointError`, until the training has begun.

    Args:
        path: The state; None for a new start.
        has_begun: Whether all of the state has been taken.
    """
    try:
        yield
    except PixelCNNError:
        raise
    except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
        if path is None or has_begun() or isinstance(error, torch.OutOfMemoryError):
            raise
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:80]}"
        raise CheckpointError(
            f"{path} holds no state from which a training can resume ({reason}). Resume from an "
            f"earlier state, or start anew."
        ) from error


def check_fits(
    path: Path,
    state: Mapping[str, Any],
    model: AutoregressiveModel,
    config: Config,
    *,
    num_images: int,
    may_be_finished: bool,
) -> None:
    """Raises an error if a training cannot resume from a state with these settings.

    Raises:
        CheckpointError: If it is of another model.
        ConfigError: If a setting differs that cannot change within a training, or if no epoch is
            left.
    """
    check_same_model(state, model, path)
    if "averaging_state" in state and config.training.ema_decay is None:
        raise ConfigError(
            f"{path} holds a moving average of weights, and `training.ema_decay` is none. Set it "
            f"as in the config.yaml of that run."
        )
    card = state["pixelcnn"]
    check_same_optimisation(card.get("training", {}), config.training, path)
    check_same_order(card, config, num_images, path)
    epochs = state["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"]
    if epochs >= config.training.max_epochs and not may_be_finished:
        raise ConfigError(
            f"The run to resume has already trained {epochs} epochs, and `training.max_epochs` is "
            f"{config.training.max_epochs}. Raise it to train on. If only the final "
            f"evaluation is missing, `--resume auto` adds it."
        )
    if has_stopped(state, config.training.early_stopping_patience) and not may_be_finished:
        raise ConfigError(
            f"The run to resume stopped early, after {epochs} epochs. Raise "
            f"`training.early_stopping_patience` (now {config.training.early_stopping_patience}) "
            f"to train on, or set it to null. If only the final evaluation is missing, "
            f"`--resume auto` adds it."
        )


def check_same_order(
    card: Mapping[str, Any], config: Config, num_images: int, path: str | Path
) -> None:
    """Raises `ConfigError` if a state is within an epoch whose order of images would change."""
    num_batches = -(-num_images // config.data.batch_size)
    now = {
        "batches_per_epoch": num_batches,
        "images_per_epoch": num_images,
        "batch_size": config.data.batch_size,
        "seed": config.seed,
    }
    before = {name: card.get(name, value) for name, value in now.items()}
    if 0 < card["stopped_at"][1] < card["batches_per_epoch"] and before != now:
        was, would = (
            f"{each['images_per_epoch']} images in {each['batches_per_epoch']} batches of "
            f"{each['batch_size']} in the order of seed {each['seed']}"
            for each in (before, now)
        )
        raise ConfigError(
            f"{path} is from the middle of an epoch of {was}, but the settings give {would}: "
            f"images would be left out or repeated. Resume with the config.yaml of that run."
        )


def check_same_optimisation(
    before: Mapping[str, Any], training: TrainingConfig, path: str | Path
) -> None:
    """Raises `ConfigError` if the state of optimiser or schedule is of another kind."""
    for name in ("optimizer", "schedule"):
        now = getattr(training, name)
        ran = before.get(name, now)  # the first states lack it
        # Without a plateau a schedule depends on the step alone.
        if ran != now and (name == "optimizer" or "plateau" in (ran, now)):
            raise ConfigError(
                f"{path} is of a training with `training.{name}` {ran}, which cannot become {now} "
                f"within a run. Leave it out, or start a new run."
            )


def check_same_model(
    state: Mapping[str, Any], model: AutoregressiveModel, path: str | Path
) -> None:
    """Raises `CheckpointError` if a state is of another model."""
    card = state["pixelcnn"]
    if card["model"] != model.name:
        raise CheckpointError(
            f"{path} holds a model {card['model']!r}, but the configuration asks for "
            f"{model.name!r}. Resume with the config.yaml of that run."
        )
    for name, value in model.config.items():
        if card["config"].get(name) != value:
            raise CheckpointError(
                f"{path} was trained with `model.{name}` {card['config'].get(name)!r}, but the "
                f"configuration and data give {value!r}. Resume with the config.yaml of that run."
            )
