"""Going on with a training: from which state, and whether it fits what is asked now."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pixelcnn.config import AUTO, Config, TrainingConfig
from pixelcnn.errors import CheckpointError, ConfigError
from pixelcnn.logger import logger
from pixelcnn.models import AutoregressiveModel
from pixelcnn.runs import BEST_STATE, LAST_STATE, read_state
from pixelcnn.training.callbacks.checkpoints import previous_states
from pixelcnn.training.callbacks.early_stopping import has_stopped


def find_state(resume: str | Path | None, run_dir: Path) -> Path | None:
    """The state to go on from.

    Args:
        resume: A file; "auto" for the newest state in `run_dir` that is whole; or None.
        run_dir: Folder of the run.

    Returns:
        A file that can be read. None: start from nothing.

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
    paths = [path for path in states(last) if path.exists()]
    for path in paths:
        try:
            read_state(path)
        except CheckpointError as error:
            logger.warning(f"Skipping a state: {error}")
            continue
        logger.info(f"Going on from {path}.")
        return path
    if paths:
        raise CheckpointError(
            f"No state in `{last.parent}` is whole: there is nothing to go on from. Remove that "
            f"folder to start anew."
        )
    return None


def states(last: Path) -> list[Path]:
    """Where states may be, the newest first."""
    return [last, *previous_states(last), last.with_name(BEST_STATE.name)]


def check_fits(
    path: Path,
    state: Mapping[str, Any],
    model: AutoregressiveModel,
    config: Config,
    *,
    num_images: int,
    may_be_finished: bool,
) -> None:
    """Raises an error if a state is not one to go on from with these settings.

    Args:
        path: Where the state is from.
        state: The state.
        model: What shall be trained on.
        config: With these settings.
        num_images: Of an epoch.
        may_be_finished: Whether the state may be that after the last epoch.

    Raises:
        CheckpointError: If it is of another model.
        ConfigError: If it is of a training with other settings that cannot change on the way, or
            has no epoch left.
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
            f"{config.training.max_epochs}. Raise it to train on. If only what comes after the "
            f"training is missing, `--resume auto` adds it."
        )
    if has_stopped(state, config.training.early_stopping_patience) and not may_be_finished:
        raise ConfigError(
            f"The run to resume stopped early, after {epochs} epochs. Raise "
            f"`training.early_stopping_patience` (now {config.training.early_stopping_patience}) "
            f"to train on, or set it to null. If only what comes after the training is missing, "
            f"`--resume auto` adds it."
        )


def check_same_order(
    card: Mapping[str, Any], config: Config, num_images: int, path: str | Path
) -> None:
    """Raises `ConfigError` if a state is within an epoch, and the rest would come in another order.

    Args:
        card: What the state says of itself.
        config: The settings to go on with.
        num_images: Of an epoch.
        path: Where the state is from.
    """
    num_batches = -(-num_images // config.data.batch_size)
    # States of other loaders than ours say no more than their number of batches.
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
            f"images would be left out, or come twice. Resume with the config.yaml of that run."
        )


def check_same_optimisation(
    before: Mapping[str, Any], training: TrainingConfig, path: str | Path
) -> None:
    """Raises `ConfigError` if optimiser or schedule have a state that the one asked for has not.

    Args:
        before: `optimizer` and `schedule` of the training that wrote a state.
        training: The settings to go on with.
        path: Where the state is from.
    """
    for name in ("optimizer", "schedule"):
        now = getattr(training, name)
        ran = before.get(name, now)  # the first states did not say
        # Without a plateau a schedule depends on the step alone.
        if ran != now and (name == "optimizer" or "plateau" in (ran, now)):
            raise ConfigError(
                f"{path} is of a training by `training.{name}` {ran}, which cannot become {now} on "
                f"the way. Leave it out, or begin a new run."
            )


def check_same_model(
    state: Mapping[str, Any], model: AutoregressiveModel, path: str | Path
) -> None:
    """Raises `CheckpointError` if a state to resume is that of another model."""
    card = state["pixelcnn"]
    if card["model"] != model.name:
        raise CheckpointError(
            f"{path} holds a model {card['model']!r}, but the configuration asks for "
            f"{model.name!r}. Resume with the config.yaml of that run."
        )
    for name, value in model.config.items():
        if card["config"].get(name) != value:
            raise CheckpointError(
                f"{path} was trained with `{name}` {card['config'].get(name)!r}, but the "
                f"configuration and data give {value!r}. Resume with the config.yaml of that run."
            )
