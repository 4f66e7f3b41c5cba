"""Reads a YAML file of settings."""

from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from pixelcnn.errors import ConfigError
from pixelcnn.strict_yaml import StrictLoader


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file as nested plain types; an empty file is an empty configuration.

    Raises:
        ConfigError: If it cannot be read, is not YAML, gives a key twice, or holds no sections.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=StrictLoader)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"Cannot read the configuration {path}: {reason}.") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError(
            f"{path} is not valid YAML{where}: {getattr(error, 'problem', None) or 'unreadable'}."
        ) from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(
            f"{path} must hold sections such as `training:`, got {type(content).__name__}."
        )
    return content
