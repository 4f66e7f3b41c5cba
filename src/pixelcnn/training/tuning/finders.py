"""Finding a learning rate and a batch size before a training, by Lightning's tuner."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import torch
from torch import Tensor

from pixelcnn.charts.curves import learning_rate_figure
from pixelcnn.charts.figure import save_figure
from pixelcnn.config import FINDERS, Config, load_config
from pixelcnn.config.rules import check_devices
from pixelcnn.data import DataSplits
from pixelcnn.device import resolve_device
from pixelcnn.errors import ConfigError
from pixelcnn.logger import logger
from pixelcnn.models import AutoregressiveModel
from pixelcnn.runs import CONFIG_FILE
from pixelcnn.training.tuning.trial import trial_training

NOT_AGAIN: dict[str, Any] = dict.fromkeys(FINDERS, False)

LOWEST_RATE, HIGHEST_RATE, NUM_RATES = 1e-6, 1.0, 100
SMOOTHING = 0.9
FIRST_RATES = 5  # whose smoothed losses are hardly smooth yet

STEPS_PER_SIZE = 3
LARGEST_BATCH = 8191  # Lightning takes 8192 without trying it
SHARE_OF_MEMORY = 0.5
FIGURE = "learning-rate.png"


@dataclass(frozen=True)
class FoundRate:
    """The result of the learning-rate finder.

    Attributes:
        rates: The rates that were tried, one per step, rising.
        losses: Smoothed loss at each, in nats per sub-pixel.
        best: The rate to train with, in three digits.
    """

    rates: list[float]
    losses: list[float]
    best: float


def search_settings(
    config: Config,
    model: AutoregressiveModel,
    data: DataSplits,
    run_dir: Path,
    *,
    is_auto: bool,
) -> tuple[Config, dict[str, Any]]:
    """Runs `find_settings` for a new run; a resumed one keeps the values of its config.yaml.

    Raises:
        ConfigError: As `find_settings`; if several processes train together; or if a resumed run is
            to search again.
    """
    training = config.training
    wanted = [name for name in FINDERS if getattr(training, name)]
    if not wanted:
        return config, {}
    check_devices(config)
    if config.resume is None:
        return find_settings(config, model, data, run_dir)
    if not is_auto:
        raise ConfigError(
            f"`training.{wanted[0]}` is for a new run; a resumed one keeps its own value. Leave it "
            f"out."
        )
    own, settings = load_config(run_dir / CONFIG_FILE), dict(NOT_AGAIN)
    if training.find_learning_rate:
        settings["learning_rate"] = own.training.learning_rate
    if training.find_batch_size:
        config = replace(config, data=replace(config.data, batch_size=own.data.batch_size))
    return replace(config, training=replace(training, **settings)), {}


def find_settings(
    config: Config, model: AutoregressiveModel, data: DataSplits, run_dir: Path
) -> tuple[Config, dict[str, Any]]:
    """Finds what `training.find_batch_size` and `training.find_learning_rate` ask for.

    Model and random state are restored, so that the training is the same as one that is given the
    values.

    Returns:
        The settings with the values found, and how each was found, by the name of the setting.

    Raises:
        ConfigError: If no learning rate is good, or no batch fits into memory.
        OutputError: If the figure cannot be written.
    """
    found: dict[str, Any] = {}
    if config.training.find_batch_size:
        size = find_batch_size(config, model, data)
        found["data.batch_size"] = {"value": size, "by": "the largest that fits, by doubling"}
        config = replace(config, data=replace(config.data, batch_size=size))
        logger.info(f"Found a batch size of {size:,}.")
    if config.training.find_learning_rate:
        tried = find_learning_rate(config, model, data)
        save_figure(learning_rate_figure(tried.rates, tried.losses, tried.best), run_dir / FIGURE)
        found["training.learning_rate"] = {
            "value": tried.best,
            "by": f"the steepest fall of the loss while the rate rose from {LOWEST_RATE:g} to "
            f"{HIGHEST_RATE:g} in {NUM_RATES} steps, see {FIGURE}",
        }
        config = replace(config, training=replace(config.training, learning_rate=tried.best))
        logger.info(
            f"Found a learning rate of {tried.best:g}: {run_dir / FIGURE} shows the loss by rate."
        )
    return replace(config, training=replace(config.training, **NOT_AGAIN)), found


def find_learning_rate(config: Config, model: AutoregressiveModel, data: DataSplits) -> FoundRate:
    """Raises the learning rate from step to step, and finds where the loss falls fastest.

    Lightning raises the rate and stops when the loss explodes. Its own suggestion is the steepest
    slope over the rate; but rates rise by factors, so that nearly all of them are small, where the
    same fall looks thousands of times steeper. Here it is the slope over the logarithm of the rate.

    Raises:
        ConfigError: If the loss falls nowhere.

    References:
        Smith, "Cyclical learning rates for training neural networks", 2017, section 3.3.
    """
    with trial_training(config, model, data) as trial:
        found = trial.tuner().lr_find(
            trial,
            min_lr=LOWEST_RATE,
            max_lr=HIGHEST_RATE,
            num_training=NUM_RATES,
            update_attr=False,
        )
    assert found is not None
    losses = smooth(trial.losses)
    rates = found.results["lr"][: len(losses)]
    return FoundRate(rates, losses, steepest_fall(rates, losses))


def smooth(values: Sequence[float]) -> list[float]:
    """Exponential moving average with bias correction.

    Example:
        >>> smooth([1.0, 1.0, 2.0])[:2]
        [1.0, 1.0]
    """
    smoothed, average = [], 0.0
    for number, value in enumerate(values, start=1):
        average = SMOOTHING * average + (1 - SMOOTHING) * value
        smoothed.append(round(average / (1 - SMOOTHING**number), 9))
    return smoothed


def steepest_fall(rates: Sequence[float], losses: Sequence[float]) -> float:
    """The rate, in three digits, of the steepest fall of the loss before its minimum.

    Raises:
        ConfigError: If it falls nowhere.
    """
    x, y = torch.tensor(rates).log(), torch.tensor(losses)
    lowest = int(y.nan_to_num(math.inf, math.inf)[FIRST_RATES:].argmin()) + FIRST_RATES
    x, y = x[FIRST_RATES : lowest + 1], y[FIRST_RATES : lowest + 1]
    slopes = torch.gradient(y, spacing=(x,))[0] if len(y) > 1 else torch.zeros(1)
    if slopes.min() >= 0:
        raise ConfigError(
            f"`training.find_learning_rate` found no rate from {LOWEST_RATE:g} to {HIGHEST_RATE:g} "
            f"at which the loss falls. Set `training.learning_rate` yourself."
        )
    return float(f"{x[slopes.argmin()].exp().item():.3g}")


def find_batch_size(config: Config, model: AutoregressiveModel, data: DataSplits) -> int:
    """Doubles the batch size until memory is full, or all training images are in one batch.

    Raises:
        ConfigError: If not even a batch of one image fits.
    """
    largest = min(len(data.train), LARGEST_BATCH)
    if resolve_device(config.device) == "cpu":
        # Systems overcommit memory and kill the process that uses it, without an error.
        free = psutil.virtual_memory().available * SHARE_OF_MEMORY
        largest = min(largest, int(free / bytes_per_image(config, model, data)))
    first = min(config.data.batch_size, largest)
    size: int | None = 0
    if largest:
        with trial_training(config, model, data) as trial:
            size = trial.tuner().scale_batch_size(
                trial,
                mode="power",
                steps_per_trial=STEPS_PER_SIZE,
                init_val=first,
                max_trials=int(math.log2(largest / first)) + 1,
            )
    if not size:
        raise ConfigError(
            "`training.find_batch_size` found no room for a single image. Use a smaller model."
        )
    return size


def bytes_per_image(config: Config, model: AutoregressiveModel, data: DataSplits) -> int:
    """Memory that training takes per image: the tensors saved for gradients, and as much again."""
    saved: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        saved[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    pair = replace(config, data=replace(config.data, batch_size=2))
    with trial_training(pair, model, data) as trial:
        batch = next(iter(trial.train_dataloader()))
        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            trial.module.plain_nll(*trial.module.split(batch)).sum()
    weights = {each.untyped_storage().data_ptr() for each in trial.module.parameters()}
    total = sum(size for where, size in saved.items() if where not in weights)
    return max(2 * total // len(batch.x), 1)
