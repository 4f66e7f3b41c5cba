"""Reads a YAML file, strictly: nothing that stands there is dropped without a word."""

from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from pixelcnn.errors import ConfigError

MAX_DEPTH, MAX_SCALAR = 20, 2000


class StrictLoader(yaml.SafeLoader):
    """Refuses what YAML would drop or choke on, with the line where it stands.

    These are a key that is given twice, of which YAML would keep the last; nesting that is deeper
    than settings need; and values that are no value, such as the date 2026-13-45.
    """

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """The node of the next event; counts how deep it is nested."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise yaml.composer.ComposerError(
                problem=f"nested more than {MAX_DEPTH} deep",
                problem_mark=self.peek_event().start_mark,
            )
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        """The value of a node."""
        if isinstance(node, yaml.ScalarNode) and len(node.value) > MAX_SCALAR:
            raise yaml.constructor.ConstructorError(
                problem=f"a value longer than {MAX_SCALAR} characters", problem_mark=node.start_mark
            )
        try:
            return super().construct_object(node, deep=deep)
        except (
            ValueError,
            OverflowError,
            KeyError,
            AttributeError,
            TypeError,
            IndexError,
        ) as error:
            raise yaml.constructor.ConstructorError(
                problem=f"`{node.value}` is no value of its kind", problem_mark=node.start_mark
            ) from error

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """The mapping of a node, each of its keys being the first of its name."""
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    problem=f"`{key.value}` is given twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


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
