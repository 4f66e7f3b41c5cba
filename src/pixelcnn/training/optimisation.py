"""Optimisers and learning-rate schedules."""

import math
from collections.abc import Iterable
from typing import Any

from torch import nn
from torch.optim import Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau

from pixelcnn.config import TrainingConfig
from pixelcnn.errors import ConfigError


def make_optimizer(parameters: Iterable[nn.Parameter], config: TrainingConfig) -> Optimizer:
    """Adam or AdamW, in one fused pass over the weights where PyTorch has one."""
    parameters = list(parameters)
    on_known_device = all(each.device.type in ("cpu", "cuda") for each in parameters)
    # Half precision scales gradients; a fused step unscales them itself, too late for clipping.
    fused = on_known_device and config.precision != "16-mixed"
    return {"adam": Adam, "adamw": AdamW}[config.optimizer](
        parameters, lr=config.learning_rate, weight_decay=config.weight_decay, fused=fused
    )


def make_schedule(optimizer: Optimizer, config: TrainingConfig, num_steps: int) -> LambdaLR:
    """The "cosine" or "constant" schedule, stepped with the optimiser.

    Args:
        optimizer: What to schedule.
        config: Names the schedule and its warm-up.
        num_steps: Optimiser steps of the whole run.

    Raises:
        ConfigError: If the warm-up is not shorter than the run.
    """
    if config.warmup_steps >= num_steps:
        raise ConfigError(
            f"`training.warmup_steps` must be below {num_steps}, the steps of the whole run, "
            f"got {config.warmup_steps}. Set it to 0, or train longer."
        )
    return LambdaLR(optimizer, lambda step: rate_factor(step, config, num_steps))


def make_plateau(optimizer: Optimizer) -> ReduceLROnPlateau:
    """Halves the learning rate after three epochs without a better validation NLL."""
    return ReduceLROnPlateau(optimizer, mode="min", factor=0.5, patience=3)


def rate_factor(step: int, config: TrainingConfig, num_steps: int) -> float:
    """What the learning rate is multiplied with at a step.

    Example:
        >>> config = TrainingConfig(schedule="cosine", warmup_steps=2)
        >>> [round(rate_factor(step, config, 6), 3) for step in range(7)]
        [0.5, 1.0, 1.0, 0.854, 0.5, 0.146, 0.0]
    """
    if step < config.warmup_steps:
        return (step + 1) / config.warmup_steps
    if config.schedule == "constant":
        return 1.0
    done = (step - config.warmup_steps) / (num_steps - config.warmup_steps)
    return 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))


def apply_settings(state: dict[str, Any], settings: TrainingConfig) -> None:
    """Lets the learning rate and weight decay asked for now rule over those in a state.

    PyTorch would go on with those of the state, whatever the settings say. Where a schedule or a
    plateau has led the rate stays, as a share of the rate asked for.

    Args:
        state: Lightning's state of a training, changed in place.
        settings: Of the training that goes on from there.
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
