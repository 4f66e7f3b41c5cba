"""Damage, by a seed: of bytes, and of the plain values that a header, a card or a log holds."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np

HOSTILE: list[Any] = [
    None,
    True,
    -1,
    0,
    1.5,
    10**9,
    20_000,
    2**70,
    float("nan"),
    float("inf"),
    "",
    "nan",
    "\x1b[31mred\x1b[0m\n![](https://example.invalid/x.png)",
    "x" * 10_000,
    "!!bool x",
    "!!int ''",
    "a\0b",
    "\ud800",
    "9" * 5_000,
    [[1, 2]],
    [],
    {},
    [[]],
    [None, 1, "a"],
    {"a": {"b": [1]}},
]


def damage(content: bytes, rng: np.random.Generator) -> bytes:
    """One or a few changes of bytes: flipped, cut, filled, doubled or moved."""
    changed = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        if not changed:
            return bytes(changed)
        at = int(rng.integers(len(changed)))
        end = min(len(changed), at + int(rng.integers(1, 64)))
        kind = rng.integers(6)
        if kind == 0:
            changed[at] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            changed[at:end] = rng.bytes(end - at)
        elif kind == 2:
            del changed[at:]
        elif kind == 3:
            del changed[at:end]
        elif kind == 4:
            changed[at:at] = changed[at:end]
        else:
            changed[at:end] = bytes([int(rng.choice([0, 255]))]) * (end - at)
    return bytes(changed)


def deep(depth: int = 100_000) -> str:
    """JSON and YAML nested far deeper than Python's stack."""
    return "[" * depth + "]" * depth


def twisted(value: Any, rng: np.random.Generator) -> Any:
    """The value with one leaf, entry or key changed, and all else as it was."""
    places = list(_places(value))
    path = places[int(rng.integers(len(places)))] if places else ()
    hostile = HOSTILE[int(rng.integers(len(HOSTILE)))]
    if not path:
        return hostile
    return _changed(value, path, hostile, remove=bool(rng.random() < 0.15))


def twisted_json(text: str, rng: np.random.Generator) -> str:
    """JSON text of which some values are changed; now and then nested, also without end."""
    if rng.random() < 0.03:
        return deep()
    try:
        value = json.loads(text)
    except ValueError:
        return damage(text.encode(), rng).decode("utf-8", "replace")
    for _ in range(rng.integers(1, 4)):
        value = twisted(value, rng)
    if rng.random() < 0.03:
        value = json.loads(deep(int(rng.integers(10, 900))))
    return json.dumps(value)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Any:
    yield path
    items = value.items() if isinstance(value, dict) else ()
    if isinstance(value, list):
        items = enumerate(value)
    for key, inner in items:
        yield from _places(inner, (*path, key))


def _changed(value: Any, path: tuple[Any, ...], hostile: Any, *, remove: bool) -> Any:
    key, rest = path[0], path[1:]
    changed = dict(value) if isinstance(value, dict) else list(value)
    if rest:
        changed[key] = _changed(value[key], rest, hostile, remove=remove)
    elif remove:
        del changed[key]
    else:
        changed[key] = hostile
    return changed


Mutation = Callable[[bytes, np.random.Generator], bytes]
"""Maps the content of a whole file to that of a damaged or hostile one."""
