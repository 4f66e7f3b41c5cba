"""What the constructors of several architectures check, and how they keep their arguments."""

from collections.abc import Mapping, Sequence
from typing import Any

from pixelcnn.errors import ConfigError


def check_least(least: int, **counts: int) -> None:
    """Raises `ConfigError` unless every count, given by its name, is at least so large.

    Example:
        >>> check_least(1, num_layers=0)
        Traceback (most recent call last):
        ...
        pixelcnn.errors.ConfigError: `num_layers` must be at least 1, got 0.
    """
    for name, value in counts.items():
        if value < least:
            raise ConfigError(f"`{name}` must be at least {least}, got {value}.")


def check_dropout(dropout: float) -> None:
    """Raises `ConfigError` unless some features stay."""
    if not 0 <= dropout < 1:
        raise ConfigError(f"`dropout` must be at least 0 and below 1, got {dropout}.")


def check_kernels(**kernel_sizes: int) -> None:
    """Raises `ConfigError` unless each window has a centre, and something around it."""
    for name, size in kernel_sizes.items():
        if size < 3 or size % 2 == 0:
            raise ConfigError(f"`{name}` must be odd and at least 3, got {size}.")


def cycled(dilations: Sequence[int] | None, count: int) -> list[int]:
    """One dilation for each of `count` layers; None for 1 everywhere.

    Raises:
        ConfigError: If there are none, or one is below 1.

    Example:
        >>> cycled([1, 2], 3)
        [1, 2, 1]
    """
    if dilations is not None and (not dilations or min(dilations) < 1):
        raise ConfigError(f"`dilations` must be whole numbers from 1, got {list(dilations)}.")
    cycle = list(dilations or [1])
    return [cycle[i % len(cycle)] for i in range(count)]


def attention_places(attention_every: int | None, count: int) -> range:
    """After which of the layers 1 to `count` attention stands: every n-th. None for nowhere.

    Raises:
        ConfigError: If `attention_every` is below 1, or so large that there would be none.

    Example:
        >>> list(attention_places(2, 5))
        [2, 4]
    """
    if attention_every is None:
        return range(0)
    if not 1 <= attention_every <= count:
        raise ConfigError(
            f"`attention_every` must be at least 1 and at most the number of layers that attention "
            f"can follow, here {count}, got {attention_every}. Leave it out for no attention."
        )
    return range(attention_every, count + 1, attention_every)


def arguments_of(local: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a constructor, from its `locals()`, in types that JSON has."""
    return {
        name: list(value) if isinstance(value, (tuple, list)) else value
        for name, value in local.items()
        if name not in ("self", "__class__")
    }
