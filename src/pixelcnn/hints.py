"""Values in the types that hints declare: of constructors, settings files and the command line."""

import re
import types
from collections.abc import Sequence
from numbers import Real
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml  # type: ignore[import-untyped]

from pixelcnn.arguments import to_whole
from pixelcnn.errors import ConfigError
from pixelcnn.strict_yaml import StrictLoader

WORDS: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    type(None): "null",
    list[int]: "a list of whole numbers",
    Sequence[int]: "a list of whole numbers",
    tuple[int, int]: "a pair of whole numbers",
}

LONGEST = 2000  # characters of a value that can be anything but text


def describe(hint: Any) -> str:
    """A type in words.

    Example:
        >>> describe(int | None)
        'a whole number or null'
    """
    if get_origin(hint) is Annotated:
        return describe(get_args(hint)[0])
    if get_origin(hint) is Literal:
        names = get_args(hint)
        return "one of " + ", ".join(names) if len(names) > 1 else str(names[0])
    if is_union(hint):
        return " or ".join(map(describe, get_args(hint)))
    return WORDS.get(hint, str(hint))


def convert(value: Any, hint: Any) -> Any:
    """A value in the type that a hint declares; text such as "1e-3" or "[1, 2]" is read.

    Args:
        value: From Python, a settings file or the command line.
        hint: int, float, bool, str, a Literal, a list or pair of whole numbers, or a union of
            these. Values for any other hint stay as they are.

    Raises:
        TypeError: If the value is of another type.

    Example:
        >>> convert("1e-3", float), convert("[1, 2]", list[int]), convert("64x96", tuple[int, int])
        (0.001, [1, 2], (64, 96))
    """
    if get_origin(hint) is Annotated:
        return convert(value, get_args(hint)[0])
    if is_union(hint):
        return convert_union(value, get_args(hint))
    if get_origin(hint) is Literal or hint is str:
        allowed = get_args(hint)
        if not isinstance(value, str) or "\0" in value or (allowed and value not in allowed):
            raise TypeError  # no path or name holds a NUL
        return value
    if hint not in WORDS:
        return value
    value = read_text(value) if isinstance(value, str) else value
    if get_origin(hint) in (list, Sequence, tuple):
        return convert_list(value, get_origin(hint), get_args(hint))
    return convert_number(value, hint)


def read_text(text: str) -> Any:
    """What a text says: as YAML does, with 1e-3 for a number and 64x96 for a pair.

    Example:
        >>> read_text("28"), read_text("64x96"), read_text("[64, 96]"), read_text("1e-3")
        (28, [64, 96], [64, 96], 0.001)
    """
    sides = re.fullmatch(r"\s*(\d{1,9})[xX×](\d{1,9})\s*", text)
    if sides:
        return [int(side) for side in sides.groups()]
    if len(text) > LONGEST:
        return text
    try:
        is_number = re.search(r"\d[eE]", text)
        return float(text) if is_number else yaml.load(text, Loader=StrictLoader)
    except (ValueError, yaml.YAMLError):
        return text


def read_size(value: Any, name: str = "image_size") -> tuple[int, int]:
    """Height and width, from a side, a pair, or text such as 64, 64x96 or [64, 96].

    Raises:
        ConfigError: If it is none, or a side is below 1.

    Example:
        >>> read_size(28), read_size("64x96")
        ((28, 28), (64, 96))
    """
    try:
        found = convert(value, int | tuple[int, int])
    except TypeError:
        found = 0
    height, width = (found, found) if isinstance(found, int) else found
    if min(height, width) < 1:
        raise ConfigError(
            f"`{name}` must be a number of pixels or a pair (height, width) such as 64x96, each at "
            f"least 1, got {value!r}."
        )
    return height, width


def is_union(hint: Any) -> bool:
    """Whether a hint is of one of several types."""
    return get_origin(hint) in (Union, types.UnionType)


def convert_union(value: Any, hints: Sequence[Any]) -> Any:
    """A value in the first of several types that it fits."""
    if type(None) in hints and (value is None or value == "null"):
        return None
    for hint in hints:
        try:
            if hint is not type(None):
                return convert(value, hint)
        except TypeError:
            continue
    raise TypeError


def convert_list(value: Any, kind: Any, inner: Sequence[Any]) -> Any:
    """A list or pair of whole numbers."""
    if not isinstance(value, (list, tuple)) or (kind is tuple and len(value) != len(inner)):
        raise TypeError
    numbers = [convert(each, inner[0]) for each in value]
    return tuple(numbers) if kind is tuple else numbers


def convert_number(value: Any, hint: type) -> Any:
    """A truth value or a number."""
    if hint is bool and isinstance(value, bool):
        return value
    whole = to_whole(value)
    if hint is int and whole is not None:
        return whole
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if hint is float and (is_number or whole is not None):
        try:
            return float(value)
        except OverflowError:  # of a whole number with hundreds of digits
            raise TypeError from None
    raise TypeError
