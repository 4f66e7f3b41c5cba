"""YAML, read strictly: nothing that stands there is dropped without a word."""

from typing import Any

import yaml  # type: ignore[import-untyped]

MAX_DEPTH, MAX_SCALAR, MAX_VALUES = 20, 2000, 10_000


class StrictLoader(yaml.SafeLoader):
    """Refuses what YAML would drop or choke on, with the line where it stands.

    These are a key that is given twice, of which YAML would keep the last; nesting that is deeper
    than settings need; aliases that repeat lists of lists, a few lines of which stand for more
    values than any memory holds; and values that are no value, such as the date 2026-13-45.
    """

    depth = 0
    num_values = 0

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.sizes: dict[int, int] = {}

    def compose_node(self, parent: Any, index: Any) -> Any:
        """The node of the next event; counts how deep it is nested, and how many values it has."""
        mark, is_alias = self.peek_event().start_mark, self.check_event(yaml.AliasEvent)
        before = self.num_values
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise yaml.composer.ComposerError(
                problem=f"nested more than {MAX_DEPTH} deep",
                problem_mark=mark,
            )
        node = super().compose_node(parent, index)
        self.depth -= 1
        # A list that holds itself has no size yet.
        self.num_values += self.sizes.get(id(node), MAX_VALUES) if is_alias else 1
        self.sizes[id(node)] = self.num_values - before
        if self.num_values > MAX_VALUES:
            raise yaml.composer.ComposerError(
                problem=f"more than {MAX_VALUES:,} values", problem_mark=mark
            )
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
