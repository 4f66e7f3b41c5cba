"""Optimisers and learning-rate schedules."""

import math
from typing import Any

from lightning.pytorch import Trainer
from torch import nn
from torch.optim import Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau

from pixelcnn.config import Config, TrainingConfig
from pixelcnn.errors import ConfigError
from pixelcnn.training.muon import Muon


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

    Args:
        optimizer: What to schedule.
        config: Names the schedule and its warm-up.
        num_steps: Optimiser steps of the whole run.

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


def steps_of(num_batches: int, config: TrainingConfig) -> int:
    """Optimiser steps of so many batches of an epoch: the last one may be of fewer batches.

    Example:
        >>> steps_of(5, TrainingConfig(accumulate_grad_batches=2))
        3
    """
    return -(-num_batches // config.accumulate_grad_batches)


def whole_steps(num_images: int, config: Config) -> int:
    """Optimiser steps of a whole training on so many images."""
    num_batches = -(-num_images // config.data.batch_size)
    return steps_of(num_batches, config.training) * config.training.max_epochs


def end_with_training(
    schedule: LambdaLR, config: TrainingConfig, trainer: Trainer, position: int
) -> None:
    """Lets a schedule end where the training ends that now begins or goes on.

    The steps that are done count as they were. Only if an epoch has another number of steps by
    now, by another size of the batches, is that not where it would end anyway.

    Args:
        schedule: Changed in place.
        config: Settings of the training.
        trainer: Lightning's, which knows how far the training is.
        position: Batches of the present epoch that are done.
    """
    per_epoch = steps_of(int(trainer.num_training_batches), config)
    done = position // config.accumulate_grad_batches
    epochs = (trainer.max_epochs or 0) - trainer.current_epoch
    num_steps = trainer.global_step + epochs * per_epoch - done
    factors = [lambda step: rate_factor(step, config, num_steps)] * len(schedule.base_lrs)
    schedule.lr_lambdas = factors


def make_plateau(optimizer: Optimizer) -> ReduceLROnPlateau:
    """Halves the learning rate at the fourth epoch in a row without a better validation NLL."""
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
