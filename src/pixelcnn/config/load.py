"""Reads settings: YAML file, then overrides, types by jsonargparse, every error by its key."""

import types
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import yaml  # type: ignore[import-untyped]
from jsonargparse import ArgumentError, ArgumentParser

from pixelcnn.config.rules import check_combinations, check_range, unknown_key
from pixelcnn.config.sections import (
    Config,
    DataConfig,
    EvaluationConfig,
    LoggerConfig,
    ModelConfig,
    SamplingConfig,
    TrainingConfig,
)
from pixelcnn.config.yaml_file import read_yaml
from pixelcnn.errors import ConfigError

SECTIONS: dict[str, type] = {
    "model": ModelConfig,
    "training": TrainingConfig,
    "data": DataConfig,
    "logger": LoggerConfig,
    "evaluation": EvaluationConfig,
    "sampling": SamplingConfig,
}
NAMES: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    type(None): "null",
    list[int]: "a list of whole numbers",
    tuple[int, int]: "a pair of whole numbers",
}
# In the checkout, then inside an installed wheel.
PRESET_FOLDERS = (Path(__file__).parents[3] / "configs", Path(__file__).parents[1] / "configs")
# Second names of recipes.
PRESET_ALIASES = {"cifar10": "default"}

SectionT = TypeVar("SectionT")


def load_config(
    path: str | Path | None = None,
    overrides: Sequence[str] = (),
    preset: str | None = None,
) -> Config:
    """Reads a configuration: defaults, then a YAML file or a preset, then overrides.

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
    values.update(split_overrides(overrides))
    return read_config(values)


def read_config(values: Mapping[str, Any]) -> Config:
    """Builds a configuration from dotted keys, e.g. {"training.max_epochs": 5}.

    Raises:
        ConfigError: As `load_config`.
    """
    typed = typed_values(values)
    check_combinations(typed)
    sections: dict[str, dict[str, Any]] = {name: {} for name in SECTIONS}
    top: dict[str, Any] = {}
    for key, value in typed.items():
        section, _, name = key.rpartition(".")
        (sections[section] if section else top)[name] = value
    return Config(**{name: cls(**sections[name]) for name, cls in SECTIONS.items()}, **top)


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
        values = asdict(values)  # type: ignore[call-overload]
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
        typed = asdict(as_section(cls, parts.get(section)))
        values.update({f"{section}.{name}": value for name, value in typed.items()})
    return read_config(values)


def to_yaml(config: Config) -> str:
    """The whole configuration as YAML that `load_config` reads back.

    Example:
        >>> print(to_yaml(Config()).splitlines()[0])
        model:
    """
    plain = asdict(config)
    if isinstance(plain["data"]["image_size"], tuple):
        plain["data"]["image_size"] = list(plain["data"]["image_size"])
    return yaml.safe_dump(plain, sort_keys=False)


def preset_names() -> list[str]:
    """Names of the recipes that come with the package."""
    files = {path.stem for folder in PRESET_FOLDERS for path in folder.glob("*.yaml")}
    return sorted(files | {alias for alias, name in PRESET_ALIASES.items() if name in files})


def preset_path(name: str) -> Path:
    """File of a recipe that comes with the package.

    Raises:
        ConfigError: If there is none of that name.
    """
    for folder in PRESET_FOLDERS:
        path = folder / f"{PRESET_ALIASES.get(name, name)}.yaml"
        if path.is_file() and name in preset_names():
            return path
    raise ConfigError(f"A preset must be one of {', '.join(preset_names())}, got {name!r}.")


def flatten(content: Mapping[Any, Any], origin: str = "") -> dict[str, Any]:
    """Nested sections as dotted keys: {"training": {"max_epochs": 5}} as "training.max_epochs"."""
    flat: dict[str, Any] = {}
    for name, value in content.items():
        if name not in SECTIONS:
            flat[str(name)] = value
        elif isinstance(value, Mapping):
            flat.update({f"{name}.{key}": inner for key, inner in value.items()})
        elif value is not None:
            raise ConfigError(f"{origin}`{name}` must be a section of keys, got {value!r}.")
    for key in flat:
        if key not in hints():
            raise unknown_key(key, [*SECTIONS, *hints()], origin)
    return flat


def split_overrides(words: Sequence[str]) -> dict[str, str]:
    """Command-line words as dotted keys with text for values."""
    flat: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        if not word.startswith("--"):
            raise ConfigError(f"An override must look like `--section.key value`, got {word!r}.")
        key, equals, value = word[2:].partition("=")
        if key not in hints():
            raise unknown_key(key, hints(), "")
        following = value if equals else next(rest, None)
        if following is None or (not equals and following.startswith("--")):
            raise ConfigError(f"`--{key}` needs a value: {describe(hints()[key])}.")
        flat[key] = following
    return flat


def typed_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Every value in its declared type and range, one by one so that errors name their key."""
    typed: dict[str, Any] = {}
    for key, value in values.items():
        if key not in hints():
            raise unknown_key(key, hints(), "")
        typed[key] = typed_value(key, value)
        check_range(key, typed[key])
    return typed


def typed_value(key: str, value: Any) -> Any:
    """A value in the declared type of its key; text such as "1e-3" may stand for a number."""
    hint = hints()[key]
    if value is None and type(None) in get_args(hint):
        return None
    try:
        if value is None:
            raise TypeError
        return value_parser(key).parse_object({"value": value})["value"]
    except (ArgumentError, TypeError, ValueError):
        raise ConfigError(f"`{key}` must be {describe(hint)}, got {value!r}.") from None


@cache
def value_parser(key: str) -> ArgumentParser:
    """Parses the value of one key. Without the environment: a run must not depend on it."""
    parser = ArgumentParser(exit_on_error=False, default_env=False)
    parser.add_argument("--value", type=hints()[key])
    return parser


@cache
def hints() -> dict[str, Any]:
    """Dotted key to declared type, for every setting there is."""
    inner = {
        f"{section}.{name}": hint
        for section, cls in SECTIONS.items()
        for name, hint in get_type_hints(cls).items()
    }
    return inner | {n: hint for n, hint in get_type_hints(Config).items() if n not in SECTIONS}


def describe(hint: Any) -> str:
    """A type in words.

    Example:
        >>> describe(int | None)
        'a whole number or null'
    """
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(map(str, get_args(hint)))
    if get_origin(hint) in (Union, types.UnionType):
        return " or ".join(map(describe, get_args(hint)))
    return NAMES[hint]
