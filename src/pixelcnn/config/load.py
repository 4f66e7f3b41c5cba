"""Reads settings: a YAML file, then overrides; every error names its key."""

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import yaml  # type: ignore[import-untyped]

from pixelcnn.config.model import ModelConfig, arguments_of
from pixelcnn.config.presets import preset_path
from pixelcnn.config.replaced import advice_on
from pixelcnn.config.rules import check_combinations, check_guidance, check_range
from pixelcnn.config.sections import (
    Config,
    DataConfig,
    EvaluationConfig,
    LoggerConfig,
    SamplingConfig,
    TrainingConfig,
)
from pixelcnn.config.yaml_file import read_yaml
from pixelcnn.data import DATASETS, reader_options
from pixelcnn.errors import ConfigError, clipped
from pixelcnn.hints import convert, describe
from pixelcnn.logger import logger
from pixelcnn.models import MODELS

SECTIONS: dict[str, type] = {
    "model": ModelConfig,
    "training": TrainingConfig,
    "data": DataConfig,
    "logger": LoggerConfig,
    "evaluation": EvaluationConfig,
    "sampling": SamplingConfig,
}
SectionT = TypeVar("SectionT")


def load_config(
    path: str | Path | None = None,
    overrides: Sequence[str] = (),
    preset: str | None = None,
) -> Config:
    """Reads a configuration: defaults, then a YAML file or a preset, then overrides.

    Where an override names another model than the file, settings of the file's model that the other
    one does not take are left out.

    Args:
        path: YAML file with any of the sections and keys of `Config`.
        overrides: Command-line words, e.g. ["--training.max_epochs", "5", "--seed=1"].
        preset: Name of a recipe that comes with the package instead of a file.

    Returns:
        The configuration, typed and checked.

    Raises:
        ConfigError: If the file cannot be read, a key is unknown, a value has the wrong type
            or range, or values contradict each other. The message is one line with the key.

    Example:
        >>> config = load_config(overrides=["--training.learning_rate", "1e-3"])
        >>> config.training.learning_rate
        0.001
    """
    if path is not None and preset is not None:
        raise ConfigError(f"Give a file or a preset, not both, got {path} and {preset!r}.")
    source = preset_path(preset) if preset is not None else path
    values = flatten(read_yaml(Path(source)), f"{source}: ") if source is not None else {}
    typed = split_overrides(overrides)
    name = typed.get("model.name")
    if name is not None and name in MODELS and name != values.get("model.name", "pixelcnn"):
        values = without_other_model(values, name, kept=typed)
    return read_config(values | typed)


def without_other_model(
    values: Mapping[str, Any], name: str, *, kept: Mapping[str, Any]
) -> dict[str, Any]:
    """The settings of a file but those of its model that another model does not take.

    Args:
        values: Values of the file by dotted keys.
        name: The other model.
        kept: Typed values, whose keys are not reported.
    """
    taken = {"model.name", *(f"model.{each}" for each in arguments_of(name))}
    foreign = [key for key in values if key.startswith("model.") and key not in taken]
    named = [f"`{key}`" for key in foreign if values[key] is not None and key not in kept]
    if named:
        logger.info(f"Left out, as the model {name} does not take them: {', '.join(named)}.")
    return {key: value for key, value in values.items() if key not in foreign}


def read_config(values: Mapping[str, Any]) -> Config:
    """Builds a configuration from dotted keys, e.g. {"training.max_epochs": 5}.

    Raises:
        ConfigError: As `load_config`.
    """
    typed = {key: typed_value(key, value) for key, value in values.items()}
    sections: dict[str, dict[str, Any]] = {name: {} for name in SECTIONS}
    top: dict[str, Any] = {}
    for key, value in typed.items():
        section, _, name = key.partition(".")
        (sections[section] if name else top)[name or section] = value
    own = get_type_hints(DataConfig)
    data = {each: sections["data"].pop(each) for each in [*sections["data"]] if each not in own}
    sections["data"]["options"] = data
    config = Config(**{name: cls(**sections[name]) for name, cls in SECTIONS.items()}, **top)
    check_combinations(config)
    if sections["model"]:
        check_guidance(config)
        config.model.check(levels=2 if config.data.binarization != "none" else config.data.levels)
    return config


def as_section(cls: type[SectionT], values: Any) -> SectionT:
    """Turns None, a mapping or a section into a checked section of type `cls`.

    Raises:
        ConfigError: If a key or a value is wrong, or `values` is of another type.

    Example:
        >>> as_section(TrainingConfig, {"learning_rate": "1e-3"}).learning_rate
        0.001
    """
    section = next(name for name, other in SECTIONS.items() if other is cls)
    if isinstance(values, cls):
        values = section_dict(values)
    if values is None:
        values = {}
    if not isinstance(values, Mapping):
        raise ConfigError(
            f"`{section}` must be a {cls.__name__} or a dict, got {type(values).__name__}."
        )
    return getattr(read_config({f"{section}.{name}": v for name, v in values.items()}), section)


def as_config(**parts: Any) -> Config:
    """Puts sections, each as `as_section` takes it, and top-level values together, all checked.

    Raises:
        ConfigError: If a key or a value is wrong, or values contradict each other.

    Example:
        >>> as_config(training={"max_epochs": 5}, seed=1).training.max_epochs
        5
    """
    values = {key: value for key, value in parts.items() if key not in SECTIONS}
    for section, cls in SECTIONS.items():
        typed = section_dict(as_section(cls, parts.get(section)))
        values.update({f"{section}.{name}": value for name, value in typed.items()})
    return read_config(values)


def section_dict(section: Any) -> dict[str, Any]:
    """A section as the dictionary that it is in a file."""
    if isinstance(section, ModelConfig):
        return section.as_dict()
    values = asdict(section)
    return values | values.pop("options") if isinstance(section, DataConfig) else values


def as_dict(config: Config) -> dict[str, Any]:
    """The whole configuration as nested plain types."""
    return {
        name: section_dict(value) if name in SECTIONS else value
        for name, value in vars(config).items()
    }


def to_yaml(config: Config) -> str:
    """The whole configuration as YAML that `load_config` reads back."""
    plain = as_dict(config)
    if isinstance(plain["data"]["image_size"], tuple):
        plain["data"]["image_size"] = list(plain["data"]["image_size"])
    return yaml.safe_dump(plain, sort_keys=False)


def flatten(content: Mapping[Any, Any], origin: str = "") -> dict[str, Any]:
    """Nested sections as dotted keys: {"training": {"max_epochs": 5}} as "training.max_epochs"."""
    flat: dict[str, Any] = {}
    for name, value in content.items():
        if name not in SECTIONS:
            flat[str(name)] = value
        elif isinstance(value, Mapping):
            flat.update({f"{name}.{key}": inner for key, inner in value.items()})
        elif value is not None:
            raise ConfigError(f"{origin}`{name}` must be a section of keys, got {clipped(value)}.")
    check_keys(flat, origin)
    return flat


def split_overrides(words: Sequence[str]) -> dict[str, str]:
    """Command-line words as dotted keys with text for values."""
    flat: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        if not word.startswith("--"):
            raise ConfigError(
                f"An override must look like `--section.key value`, got {clipped(word)}."
            )
        key, equals, value = word[2:].partition("=")
        check_keys([key])
        following = value if equals else next(rest, None)
        if following is None or (not equals and following.startswith("--")):
            what = f": {describe(hints()[key])}" if key in hints() else ""
            raise ConfigError(f"`--{key}` needs a value{what}.")
        flat[key] = following
    return flat


def check_keys(keys: Iterable[str], origin: str = "") -> None:
    """Raises `ConfigError` if keys are no settings, with what replaces each or the nearest one.

    Args:
        keys: Dotted keys. Those of the section `model` are left to `ModelConfig`.
        origin: Where the keys stand, before the message.
    """
    wrong = [key for key in keys if key not in hints() and not key.startswith("model.")]
    if wrong:
        found = (f"`{key}` is not a setting.{advice_on(key) or nearest_key(key)}" for key in wrong)
        raise ConfigError(origin + " ".join(found))


def nearest_key(key: str) -> str:
    """Which setting may be meant by a key that is none; empty if none is near."""
    last = key.rpartition(".")[2]
    # A setting of another section, such as `training.sample_temperature` for that of `sampling`.
    near = [known for known in hints() if f"_{last}".endswith(f"_{known.rpartition('.')[2]}")]
    names = {f"model.{each}" for model in MODELS for each in ("name", *arguments_of(model))}
    known = [*SECTIONS, *hints(), *sorted(names)]
    near = near or difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    if not near:  # `--max_epochs`: the last part alone may be right
        lasts = {name.rpartition(".")[2]: name for name in known}
        near = [lasts[name] for name in difflib.get_close_matches(last, lasts, n=1, cutoff=0.75)]
    return f" Did you mean `{near[0]}`?" if near else ""


def typed_value(key: str, value: Any) -> Any:
    """A value in the declared type and range of its key; that of a model in `ModelConfig`."""
    if key.startswith("model."):
        return value
    check_keys([key])
    try:
        typed = convert(value, hints()[key])
    except TypeError:
        raise ConfigError(
            f"`{key}` must be {describe(hints()[key])}, got {clipped(value)}."
        ) from None
    check_range(key, typed)
    return typed


def hints() -> dict[str, Any]:
    """Dotted key to declared type, for every setting but those of the model."""
    return hints_with(tuple(DATASETS.items()))


@cache
def hints_with(datasets: tuple[tuple[str, Callable[..., Any]], ...]) -> dict[str, Any]:
    """The settings, among them the options of the readers of these data sets."""
    found = {
        f"data.{option}": get_type_hints(reader).get(option, Any)
        for name, reader in datasets
        for option in reader_options(name) - {"channels"}
    }
    for section, cls in SECTIONS.items():
        found |= {f"{section}.{name}": hint for name, hint in get_type_hints(cls).items()}
    del found["data.options"]
    return found | {n: hint for n, hint in get_type_hints(Config).items() if n not in SECTIONS}
