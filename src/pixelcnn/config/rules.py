"""What values a setting may have, alone and together. Types are checked before, in `load`."""

import difflib
import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

from pixelcnn.config.sections import FINDERS
from pixelcnn.errors import ConfigError

Rule = tuple[Callable[[Any], bool], str]

POSITIVE: Rule = (lambda value: value > 0, "greater than 0")
NOT_NEGATIVE: Rule = (lambda value: value >= 0, "0 or more")
AT_LEAST_ONE: Rule = (lambda value: value >= 1, "at least 1")
WINDOW: Rule = (lambda value: value >= 3 and value % 2 == 1, "odd and at least 3")
LEVELS: Rule = (lambda value: 2 <= value <= 65_536, "from 2 to 65536")

RANGES: dict[str, Rule] = {
    "model.in_channels": AT_LEAST_ONE,
    "model.hidden_channels": AT_LEAST_ONE,
    "model.num_layers": NOT_NEGATIVE,
    "model.num_residual_blocks": NOT_NEGATIVE,
    "model.kernel_size": WINDOW,
    "model.first_kernel_size": WINDOW,
    "model.dropout": (lambda value: 0 <= value < 1, "in [0, 1)"),
    "model.num_classes": LEVELS,
    "model.num_mixtures": AT_LEAST_ONE,
    "model.level_embedding_dim": AT_LEAST_ONE,
    "model.num_labels": AT_LEAST_ONE,
    "model.label_dropout": (lambda value: 0 <= value < 1, "in [0, 1)"),
    "model.num_attributes": AT_LEAST_ONE,
    "model.num_map_channels": AT_LEAST_ONE,
    "model.dilations": (
        lambda value: len(value) > 0 and min(value) >= 1,
        "a list of at least one number, each at least 1",
    ),
    "model.attention_every": AT_LEAST_ONE,
    "model.num_heads": AT_LEAST_ONE,
    "model.num_blocks": AT_LEAST_ONE,
    "model.num_resnets": AT_LEAST_ONE,
    "model.num_resolutions": AT_LEAST_ONE,
    "model.key_width": AT_LEAST_ONE,
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
    "data.batch_size": AT_LEAST_ONE,
    "data.num_workers": NOT_NEGATIVE,
    "data.image_size": (
        lambda value: min(value if isinstance(value, tuple) else (value,)) >= 1,
        "at least 1 pixel on each side",
    ),
    "data.colour_jitter": (lambda value: 0 <= value < 1, "in [0, 1)"),
    "data.mutation_rate": (lambda value: 0 <= value < 1, "in [0, 1)"),
    "data.max_samples": AT_LEAST_ONE,
    "data.levels": LEVELS,
    "data.val_fraction": (lambda value: 0 < value < 1, "between 0 and 1, both excluded"),
    "logger.log_every_n_steps": AT_LEAST_ONE,
    "logger.sample_every_n_epochs": NOT_NEGATIVE,
    "logger.sample_epochs": (lambda value: min(value, default=1) >= 1, "numbers of at least 1"),
    "evaluation.batch_size": AT_LEAST_ONE,
    "evaluation.max_samples": AT_LEAST_ONE,
    "sampling.num_samples": AT_LEAST_ONE,
    "sampling.temperature": POSITIVE,
    "sampling.top_k": AT_LEAST_ONE,
    "sampling.top_p": (lambda value: 0 < value <= 1, "in (0, 1]"),
    "sampling.guidance": NOT_NEGATIVE,
    "sampling.per_label": AT_LEAST_ONE,
}


def check_range(key: str, value: Any) -> None:
    """Raises `ConfigError` if a value of the right type is out of range. None is never.

    Example:
        >>> check_range("training.max_epochs", 0)
        Traceback (most recent call last):
        ...
        pixelcnn.errors.ConfigError: `training.max_epochs` must be at least 1, got 0.
    """
    if value is None:
        return
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"`{key}` must be a finite number, got {value}.")
    if key in RANGES:
        holds, what = RANGES[key]
        if not holds(value):
            raise ConfigError(f"`{key}` must be {what}, got {value!r}.")


def check_combinations(values: Mapping[str, Any]) -> None:
    """Raises `ConfigError` if settings contradict each other.

    Args:
        values: Dotted key to value; a section may be missing altogether.
    """
    get = values.get
    classes, levels = get("model.num_classes"), get("data.levels")
    binarization = get("data.binarization", "none")
    if get("model.likelihood") == "bernoulli" and classes not in (None, 2):
        raise ConfigError(
            f"`model.likelihood` bernoulli needs `model.num_classes` 2, got {classes}. "
            f"Use categorical."
        )
    if get("model.num_mixtures") and get("model.likelihood") != "logistic_mixture":
        raise ConfigError(
            f"`model.num_mixtures` needs `model.likelihood` logistic_mixture, got "
            f"{get('model.likelihood')}. Set that, or leave `model.num_mixtures` out."
        )
    if binarization != "none" and classes not in (None, 2):
        raise ConfigError(
            f"`data.binarization` {binarization} leaves 2 levels, but `model.num_classes` is "
            f"{classes}. Set it to 2, or `data.binarization` to none."
        )
    if binarization != "none" and levels not in (None, 2):
        raise ConfigError(
            f"`data.binarization` {binarization} leaves 2 levels, but `data.levels` is {levels}. "
            f"Set only one of them."
        )
    if None not in (classes, levels) and classes != levels:
        raise ConfigError(
            f"`model.num_classes` must equal `data.levels`, got {classes} and {levels}."
        )
    if get("training.schedule") == "plateau" and get("training.warmup_steps"):
        raise ConfigError(
            f"`training.warmup_steps` must be 0 with `training.schedule` plateau, got "
            f"{get('training.warmup_steps')}. Use cosine or constant to warm up."
        )
    always_attends = get("model.name") == "pixelsnail"
    if get("model.num_heads") and get("model.attention_every") is None and not always_attends:
        raise ConfigError(
            f"`model.num_heads` {get('model.num_heads')} needs `model.attention_every`. Set that, "
            f"or leave `model.num_heads` out."
        )
    check_devices(values)
    check_conditions(values)


def check_devices(values: Mapping[str, Any]) -> None:
    """Raises `ConfigError` if what is configured cannot be shared among processes."""
    count = values.get("training.num_devices", 1) * values.get("training.num_nodes", 1)
    device = values.get("device", "auto")
    if count > 1 and device not in ("auto", "cpu", "cuda"):
        raise ConfigError(
            f"`device` must be auto, cpu or cuda with `training.num_devices` × "
            f"`training.num_nodes` {count}, got {device!r}."
        )
    for name in FINDERS:
        if count > 1 and values.get(f"training.{name}"):
            raise ConfigError(
                f"`training.{name}` needs one process: find it first, then set what it found."
            )
    if values.get("training.strategy") == "fsdp":
        check_spread(values)
    if count > 1 and values.get("model.norm") == "batch":
        raise ConfigError(
            f"`model.norm` batch takes the statistics of all images of a batch, which "
            f"{count} processes share: use `model.norm` channel, or one process."
        )


def check_spread(values: Mapping[str, Any]) -> None:
    """Raises `ConfigError` if settings need a whole model in each process."""
    for name in ("training.ema_decay", "training.compile"):
        if values.get(name):
            raise ConfigError(
                f"`{name}` needs the whole model in each process: leave it out, or set "
                f"`training.strategy` to ddp."
            )
    if values.get("training.optimizer") == "muon":
        raise ConfigError(
            "`training.optimizer` muon needs whole kernels in each process: use adamw, or set "
            "`training.strategy` to ddp."
        )
    if values.get("training.precision") == "16-mixed":
        raise ConfigError(
            "`training.precision` must be 32-true or bf16-mixed with `training.strategy` fsdp, "
            "got 16-mixed."
        )


def check_conditions(values: Mapping[str, Any]) -> None:
    """Raises `ConfigError` unless there is one condition, with what guidance needs of it."""
    kinds = ("num_labels", "num_attributes", "num_map_channels")
    given = [f"`model.{kind}`" for kind in kinds if values.get(f"model.{kind}") is not None]
    if len(given) > 1:
        raise ConfigError(f"At most one condition can be set, got {' and '.join(given)}.")
    dropout, guidance = values.get("model.label_dropout"), values.get("sampling.guidance", 1)
    if dropout and not given:
        raise ConfigError(
            f"`model.label_dropout` needs {', '.join(f'`model.{kind}`' for kind in kinds[:-1])} or "
            f"`model.{kinds[-1]}`, got {dropout} without them."
        )
    if guidance != 1 and not dropout and "model.name" in values:
        raise ConfigError(
            f"`sampling.guidance` {guidance} needs a model that is trained with "
            f"`model.label_dropout`. Set that, for example to 0.1, or leave the guidance at 1."
        )


def unknown_key(key: str, known: Collection[str], origin: str) -> ConfigError:
    """The error for a key that does not exist, with the nearest one that does."""
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    if not near:
        # `--max_epochs` or a key in the wrong section: the last part alone may be right.
        last = {name.rpartition(".")[2]: name for name in known}
        names = difflib.get_close_matches(key.rpartition(".")[2], last, n=1, cutoff=0.75)
        near = [last[name] for name in names]
    hint = f" Did you mean `{near[0]}`?" if near else ""
    return ConfigError(f"{origin}`{key}` is not a setting.{hint}")
