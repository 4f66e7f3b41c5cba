"""What values a setting may have, alone and together. Types are checked before, in `load`."""

import math
from collections.abc import Callable
from typing import Any

from pixelcnn.arguments import renamed_arguments
from pixelcnn.config.sections import AUTO, FINDERS, Config, DataConfig, TrainingConfig
from pixelcnn.data.batches import check_batch_options
from pixelcnn.data.load import check_options
from pixelcnn.errors import ConfigError
from pixelcnn.hints import read_size
from pixelcnn.spec import MAX_LEVELS
from pixelcnn.walk import SamplingKeywords, SamplingOptions

Rule = tuple[Callable[[Any], bool], str]

POSITIVE: Rule = (lambda value: value > 0, "greater than 0")
NOT_NEGATIVE: Rule = (lambda value: value >= 0, "0 or more")
AT_LEAST_ONE: Rule = (lambda value: value >= 1, "at least 1")

RANGES: dict[str, Rule] = {
    "data.levels": (lambda value: 2 <= value <= MAX_LEVELS, f"from 2 to {MAX_LEVELS}"),
    "data.bits": (lambda value: 1 <= value <= 16, "from 1 to 16"),
    "data.label_depth": NOT_NEGATIVE,
    "training.max_epochs": AT_LEAST_ONE,
    "training.learning_rate": POSITIVE,
    "training.weight_decay": NOT_NEGATIVE,
    "training.warmup_steps": NOT_NEGATIVE,
    "training.gradient_clip_val": POSITIVE,
    "training.early_stopping_patience": AT_LEAST_ONE,
    "training.accumulate_grad_batches": AT_LEAST_ONE,
    "training.num_devices": AT_LEAST_ONE,
    "training.num_nodes": AT_LEAST_ONE,
    "training.ema_decay": (lambda value: 0 < value < 1, "between 0 and 1, both excluded"),
    "training.checkpoint_every_n_steps": AT_LEAST_ONE,
    "training.num_checkpoints": AT_LEAST_ONE,
    "logger.log_every_n_steps": AT_LEAST_ONE,
    "logger.sample_every_n_epochs": NOT_NEGATIVE,
    "logger.sample_epochs": (lambda value: min(value, default=1) >= 1, "numbers of at least 1"),
    "evaluation.batch_size": AT_LEAST_ONE,
    "evaluation.max_samples": AT_LEAST_ONE,
    "sampling.num_samples": AT_LEAST_ONE,
    "sampling.guidance": NOT_NEGATIVE,
    "sampling.per_label": AT_LEAST_ONE,
}


def check_range(key: str, value: Any) -> None:
    """Raises `ConfigError` if a value of the right type is out of range. None is never."""
    if value is None:
        return
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"`{key}` must be a finite number, got {value}.")
    if key in RANGES:
        holds, what = RANGES[key]
        if not holds(value):
            raise ConfigError(f"`{key}` must be {what}, got {value!r}.")
    section, _, name = key.partition(".")
    if section == "sampling" and name in SamplingKeywords.__annotations__:
        with renamed_arguments(
            {each: f"sampling.{each}" for each in SamplingKeywords.__annotations__}
        ):
            SamplingOptions.of({name: value}, None)


def check_combinations(config: Config) -> None:
    """Raises `ConfigError` if settings of different sections contradict each other."""
    check_data(config.data)
    data, model, training = config.data, config.model.settings, config.training
    classes, binarization = model["num_classes"], data.binarization
    if binarization != "none" and classes not in (None, 2):
        raise ConfigError(
            f"`data.binarization` {binarization} leaves 2 levels, but `model.num_classes` is "
            f"{classes}. Set it to 2, or `data.binarization` to none."
        )
    if None not in (classes, data.levels) and classes != data.levels:
        raise ConfigError(
            f"`model.num_classes` must equal `data.levels`, got {classes} and {data.levels}."
        )
    if training.schedule == "plateau" and training.warmup_steps:
        raise ConfigError(
            f"`training.warmup_steps` must be 0 with `training.schedule` plateau, got "
            f"{training.warmup_steps}. Use cosine or constant to warm up."
        )
    check_devices(config)


def check_data(data: DataConfig) -> None:
    """Raises `ConfigError` if `load_data` or `batches` would refuse its options."""
    with renamed_arguments({name: f"data.{name}" for name in vars(data)}):
        check_options(data.levels, data.binarization, data.val_fraction, data.max_samples)
        check_batch_options(
            data.batch_size, data.num_workers, data.colour_jitter, data.mutation_rate
        )
        if data.image_size is not None:
            read_size(data.image_size)


def check_guidance(config: Config) -> None:
    """Raises `ConfigError` unless the model of the settings can be guided as they say."""
    guidance = config.sampling.guidance
    if guidance != 1 and not config.model.settings["label_dropout"]:
        raise ConfigError(
            f"`sampling.guidance` {guidance} needs a model that is trained with "
            f"`model.label_dropout`. Set that, for example to 0.1, or leave the guidance at 1."
        )


def check_devices(config: Config) -> None:
    """Raises `ConfigError` if what is configured cannot be shared among processes."""
    training = config.training
    count = training.num_devices * training.num_nodes
    if count > 1 and config.device not in ("auto", "cpu", "cuda"):
        raise ConfigError(
            f"`device` must be auto, cpu or cuda with `training.num_devices` × "
            f"`training.num_nodes` {count}, got {config.device!r}."
        )
    for name in FINDERS:
        if count > 1 and getattr(training, name):
            raise ConfigError(
                f"`training.{name}` needs one process: find it first, then set what it found."
            )
    if training.strategy == "fsdp":
        check_fsdp(training)
    if count > 1:
        config.model.check(num_processes=count)


def check_fsdp(training: TrainingConfig) -> None:
    """Raises `ConfigError` if settings need a whole model in each process."""
    for name in ("ema_decay", "compile"):
        if getattr(training, name) not in (None, False, AUTO):
            raise ConfigError(
                f"`training.{name}` needs the whole model in each process: leave it out, or set "
                f"`training.strategy` to ddp."
            )
    if training.optimizer == "muon":
        raise ConfigError(
            "`training.optimizer` muon needs whole kernels in each process: use adamw, or set "
            "`training.strategy` to ddp."
        )
    if training.precision == "16-mixed":
        raise ConfigError(
            "`training.precision` must be auto, 32-true or bf16-mixed with `training.strategy` "
            "fsdp, got 16-mixed."
        )
