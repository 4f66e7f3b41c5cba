"""Optimisers and learning-rate schedules."""

import math
from dataclasses import replace
from typing import Any

from lightning.pytorch import Trainer
from torch import nn
from torch.optim import Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau

from pixelcnn.config import Config, TrainingConfig
from pixelcnn.errors import ConfigError
from pixelcnn.logger import logger
from pixelcnn.training.optimisation.muon import Muon


def make_optimizer(model: nn.Module, config: TrainingConfig) -> Optimizer:
    """Adam or AdamW, in one fused pass over the weights where PyTorch has one, or Muon."""
    parameters = list(model.parameters())
    if config.optimizer == "muon":
        # The output layer is no map between features: its rows are the logits of levels.
        kernels = {
            name: each
            for name, each in model.named_parameters()
            if each.ndim > 2 and not name.startswith("out.")
        }
        others = [each for name, each in model.named_parameters() if name not in kernels]
        return Muon(
            kernels.values(), others, lr=config.learning_rate, weight_decay=config.weight_decay
        )
    on_known_device = all(each.device.type in ("cpu", "cuda") for each in parameters)
    # Half precision scales gradients; a fused step unscales them itself, too late for clipping.
    fused = on_known_device and config.precision != "16-mixed"
    return {"adam": Adam, "adamw": AdamW}[config.optimizer](
        parameters, lr=config.learning_rate, weight_decay=config.weight_decay, fused=fused
    )


def make_schedule(optimizer: Optimizer, config: TrainingConfig, num_steps: int) -> LambdaLR:
    """The "cosine" or "constant" schedule, stepped with the optimiser.

    Raises:
        ConfigError: If the warm-up is not shorter than the run.
    """
    check_warm_up(config, num_steps)
    return LambdaLR(optimizer, lambda step: rate_factor(step, config, num_steps))


def check_warm_up(config: TrainingConfig, num_steps: int) -> None:
    """Raises `ConfigError` unless the warm-up is shorter than a run of so many steps."""
    if config.schedule != "plateau" and config.warmup_steps >= num_steps:
        raise ConfigError(
            f"`training.warmup_steps` must be below {num_steps}, the steps of the whole run, "
            f"got {config.warmup_steps}. Set it to 0, or train longer."
        )


def fit_warm_up(config: TrainingConfig, num_steps: int, *, shorten: bool) -> TrainingConfig:
    """Makes a warm-up that is not shorter than the run a tenth of it, or refuses it.

    Raises:
        ConfigError: If it is too long and not to be shortened.
    """
    if config.schedule == "plateau" or config.warmup_steps < num_steps or not shorten:
        check_warm_up(config, num_steps)
        return config
    logger.warning(
        f"`training.warmup_steps` {config.warmup_steps} is not below {num_steps}, the steps of the "
        f"whole run; warming up for {num_steps // 10} instead."
    )
    return replace(config, warmup_steps=num_steps // 10)


def whole_steps(num_images: int, config: Config) -> int:
    """Optimiser steps of a whole training on so many images."""
    num_batches = math.ceil(num_images / config.data.batch_size)
    # The last step of an epoch may be of fewer batches.
    per_epoch = math.ceil(num_batches / config.training.accumulate_grad_batches)
    return per_epoch * config.training.max_epochs


def set_schedule_length(
    schedule: LambdaLR, config: TrainingConfig, trainer: Trainer, position: int
) -> None:
    """Makes a schedule end with the training that starts or resumes.

    Steps that are done count as they were. The schedule changes only where an epoch has another
    number of steps than before, because of another batch size.

    Args:
        schedule: Changed in place.
        config: Settings of the training.
        trainer: Lightning's trainer, which holds the epoch and the step.
        position: Batches of the current epoch that are done.
    """
    if math.isinf(trainer.num_training_batches):  # a loader without a length: `max_steps` rules
        return
    accumulated = trainer.accumulate_grad_batches
    per_epoch = math.ceil(trainer.num_training_batches / accumulated)
    done = position // accumulated
    epochs = (trainer.max_epochs or 0) - trainer.current_epoch
    num_steps = trainer.global_step + epochs * per_epoch - done
    factors = [lambda step: rate_factor(step, config, num_steps)] * len(schedule.base_lrs)
    schedule.lr_lambdas = factors


def make_plateau(optimizer: Optimizer) -> ReduceLROnPlateau:
    """Halves the learning rate at the fourth epoch in a row without a better validation NLL."""
    return ReduceLROnPlateau(optimizer, mode="min", factor=0.5, patience=3)


def rate_factor(step: int, config: TrainingConfig, num_steps: int) -> float:
    """The factor of the learning rate at a step."""
    if step < config.warmup_steps:
        return (step + 1) / config.warmup_steps
    if config.schedule == "constant":
        return 1.0
    done = (step - config.warmup_steps) / (num_steps - config.warmup_steps)
    return 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))


def apply_settings(state: dict[str, Any], settings: TrainingConfig) -> None:
    """Replaces learning rate and weight decay in a state by those of the settings.

    PyTorch would resume with those of the state. The factor that a schedule or a plateau has
    reached stays.
    """
    before = state["pixelcnn"].get("training", {})  # the first states did not say
    ratio = settings.learning_rate / before.get("learning_rate", settings.learning_rate)
    for group in (each for one in state["optimizer_states"] for each in one["param_groups"]):
        group["weight_decay"] = settings.weight_decay
        for name in ("lr", "initial_lr"):
            if name in group and ratio != 1:
                group[name] *= ratio
    for schedule in state["lr_schedulers"]:
        for name in ("base_lrs", "_last_lr"):
            if name in schedule and ratio != 1:
                schedule[name] = [rate * ratio for rate in schedule[name]]
