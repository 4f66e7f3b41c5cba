"""Settings that are "auto": precision and compilation, by timing steps before a training."""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch

from pixelcnn.config import AUTO, TIMED, Config, TrainingConfig
from pixelcnn.data import DataSplits
from pixelcnn.device import has_bf16, resolve_device
from pixelcnn.logger import logger
from pixelcnn.models import AutoregressiveModel
from pixelcnn.threads import one_thread
from pixelcnn.training.compilation import Nll, compile_or_explain
from pixelcnn.training.distributed.process_group import ProcessGroup
from pixelcnn.training.tuning.trial import Trial, trial_training

LEAST_WORK = 1e13
"""Multiplications and additions of a training that is worth timing: a minute or two on a core."""
LEAST_SECONDS = 1200.0  # of a training that is worth compiling twice: on trial, and to train
WORTH = 0.9  # of the time: a smaller gain is uncertain, and bits are not given away for it
SECONDS, MOST_ROUNDS = 3.0, 9  # of timing

DTYPES = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}


@dataclass(frozen=True)
class AutoValue:
    """What "auto" chose, and why; without a reason it is not worth a line."""

    value: Any
    reason: str = ""


def resolve_auto(
    config: Config, model: AutoregressiveModel, data: DataSplits, group: ProcessGroup
) -> tuple[Config, dict[str, Any]]:
    """Chooses `training.precision` and `training.compile` where they are "auto".

    The first process chooses for all. Model, images and random state stay as they are.

    Returns:
        The settings as the training runs, and what was chosen and why, by the name of the setting.
    """
    found: dict[str, Any] = {}
    if automatic(config.training):
        chosen = group.run_on_first(partial(choose, config, model, data))
        values = {name: choice.value for name, choice in chosen.items()}
        config = replace(config, training=replace(config.training, **values))
        for name, choice in chosen.items():
            if choice.reason:
                found[f"training.{name}"] = {"value": choice.value, "by": choice.reason}
                value = str(choice.value).lower()
                logger.info(f"{name}: {value}, chosen by auto: {choice.reason}.")
    return replace(config, training=fit_precision(config.training, config.device)), found


def automatic(training: TrainingConfig) -> list[str]:
    """The names of the settings that are to be chosen."""
    return [name for name in TIMED if getattr(training, name) == AUTO]


def fit_precision(training: TrainingConfig, device: str) -> TrainingConfig:
    """Replaces float16 on a CPU, which has no kernels for it, and warns about a slow precision."""
    device = resolve_device(device)
    if training.precision == "16-mixed" and device == "cpu":
        training = replace(training, precision="bf16-mixed" if has_bf16(device) else "32-true")
        logger.warning(
            f"`training.precision` 16-mixed needs a GPU; training in {training.precision} on this "
            f"CPU instead."
        )
    elif training.precision == "bf16-mixed" and not has_bf16(device):
        logger.warning(
            f"`training.precision` bf16-mixed is slower than 32-true on this device ({device}), "
            f"which has no bf16 instructions. Use auto or 32-true."
        )
    return training


def choose(config: Config, model: AutoregressiveModel, data: DataSplits) -> dict[str, AutoValue]:
    """What suits the device and the training, for each setting that is "auto"."""
    wanted = automatic(config.training)
    chosen = choose_untimed(config, model, data)
    if not chosen.keys() >= set(wanted):
        with trial_training(config, model, data) as trial:
            chosen = choose_timed(TrialSteps(trial), chosen)
    return {name: chosen[name] for name in wanted}


def choose_untimed(
    config: Config, model: AutoregressiveModel, data: DataSplits
) -> dict[str, AutoValue]:
    """What is known without timing anything."""
    half = half_precision(config)
    if num_operations(config, model, data) < LEAST_WORK:
        return {"precision": AutoValue("32-true"), "compile": AutoValue(False)}
    if config.training.strategy == "fsdp":  # a process alone may not hold the whole model
        by_device = AutoValue(half or "32-true", f"the device has {'' if half else 'no '}bf16")
        return {"precision": by_device, "compile": AutoValue(False)}
    fixed = {name: AutoValue(getattr(config.training, name)) for name in TIMED}
    known = {name: choice for name, choice in fixed.items() if choice.value != AUTO}
    if half is None:
        known.setdefault("precision", AutoValue("32-true", "the device has no bf16 instructions"))
    if resolve_device(config.device) == "cpu":  # a tenth faster at best, and slower for most
        known.setdefault("compile", AutoValue(False))
    return known


def half_precision(config: Config) -> str | None:
    """The mixed precision that the device has instructions for, if any."""
    device = resolve_device(config.device)
    if has_bf16(device):
        return "bf16-mixed"
    is_volta = device.startswith("cuda") and torch.cuda.get_device_capability(device) >= (7, 0)
    return "16-mixed" if is_volta and config.training.strategy != "fsdp" else None


def num_operations(config: Config, model: AutoregressiveModel, data: DataSplits) -> float:
    """Multiplications and additions of a training, if each weight is used once for each pixel."""
    pixels = data.spec.height * data.spec.width
    return 6.0 * model.num_parameters * pixels * len(data.train) * config.training.max_epochs


class TrialSteps:
    """Steps of a training on its first batch, forwards and backwards, as one process does them.

    Attributes:
        config: Settings of the training.
        num_steps: Batches of the whole training.
    """

    def __init__(self, trial: Trial) -> None:
        self.config, loader = trial.config, trial.train_dataloader()
        self.num_steps = len(loader) * self.config.training.max_epochs
        self.device = torch.device(resolve_device(self.config.device))
        num_processes = self.config.training.num_devices * self.config.training.num_nodes
        x, cond = trial.module.split(next(iter(loader)).to(self.device))
        part = slice(math.ceil(len(x) / num_processes))
        self.x, self.cond = x[part], None if cond is None else cond[part]
        self.module = trial.module.to(self.device).train()
        self.module.model.initialise(self.x, self.cond)

    def rounding(self, precision: str) -> AbstractContextManager[Any]:
        """The block in which Lightning would compute a loss."""
        dtype = DTYPES.get(precision)
        return torch.autocast(self.device.type, dtype, enabled=dtype is not None)

    def step(self, precision: str, nll: Nll | None = None) -> Callable[[], None]:
        """A step in a precision; `nll` is the loss if it is compiled."""
        nll = nll or self.module.plain_nll

        def run() -> None:
            self.module.zero_grad(set_to_none=True)
            with self.rounding(precision):
                loss = nll(self.x, self.cond).mean() / self.x[0].numel()
            loss.backward()
            if self.device.type == "cuda":
                torch.cuda.synchronize(self.device)

        return run

    def compiled(self, precision: str) -> tuple[Nll, str | None]:
        """As `compile_or_explain`."""
        with self.rounding(precision):
            return compile_or_explain(
                self.module.plain_nll, self.x, self.cond, self.module.parameters()
            )


def choose_timed(steps: TrialSteps, known: dict[str, AutoValue]) -> dict[str, AutoValue]:
    """Adds to what is known what the times of steps say."""
    chosen = dict(known)
    if "precision" not in chosen:
        half = half_precision(steps.config)
        assert half is not None
        single, mixed = least_seconds([steps.step("32-true"), steps.step(half)], steps.device)
        ratio = mixed / single
        if ratio <= WORTH:
            because = f"a step takes {ratio:.2f} times as long as in 32-true"
            chosen["precision"] = AutoValue(half, because)
        else:
            because = f"a step in {half} takes {ratio:.2f} times as long"
            chosen["precision"] = AutoValue("32-true", because)
    if "compile" not in chosen:
        chosen["compile"] = choose_compilation(steps, chosen["precision"].value)
    return chosen


def choose_compilation(steps: TrialSteps, precision: str) -> AutoValue:
    """Tries `torch.compile` if the training takes long."""
    plain = steps.step(precision)
    (seconds,) = least_seconds([plain], steps.device)
    if seconds * steps.num_steps < LEAST_SECONDS:
        return AutoValue(False)
    logger.info("Compiling a training step on trial, which takes a minute or two.")
    compiled, failure = steps.compiled(precision)
    if failure is not None:
        return AutoValue(False, f"torch.compile fails: {failure}")
    eager, fused = least_seconds([plain, steps.step(precision, compiled)], steps.device)
    ratio = fused / eager
    return AutoValue(ratio <= WORTH, f"a compiled step takes {ratio:.2f} times as long")


def least_seconds(steps: Sequence[Callable[[], None]], device: torch.device) -> list[float]:
    """Least time of each step, in turn, after one of each that is not counted.

    On a processor it is CPU time with one thread, which other programs change least: threads that
    wait for each other spend it too. A step that does not fit into the memory of a GPU takes
    forever.
    """
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    taken = [math.inf] * len(steps)
    until = time.perf_counter() + SECONDS
    for number in range(MOST_ROUNDS + 1):
        for each, step in enumerate(steps):
            start = clock()
            try:
                with one_thread():
                    step()
            except torch.OutOfMemoryError:
                continue
            if number:
                taken[each] = min(taken[each], clock() - start)
        if number and time.perf_counter() > until:
            break
    return taken
