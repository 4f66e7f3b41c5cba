"""Arguments as users give them: checked once, at the public boundary, and named if wrong."""

import functools
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from numbers import Real
from operator import index
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from pixelcnn.errors import ConfigError, ShapeError, suggestion

CallableT = TypeVar("CallableT", bound=Callable[..., Any])

SEEDS = 2**64
"""Upper bound of seeds and numbers of images: the generator's key holds 64 bits of each."""


def to_whole(value: object) -> int | None:
    """A whole number as an int; None for anything else.

    Example:
        >>> to_whole(3), to_whole(torch.tensor([3])[0]), to_whole(3.0), to_whole(True)
        (3, 3, None, None)
    """
    if isinstance(value, bool | np.bool_):  # older NumPy takes the latter for an index
        return None
    try:
        return index(value)  # type: ignore[arg-type]
    except TypeError:
        return None


def to_wholes(values: object) -> tuple[int, ...] | None:
    """Several whole numbers as ints; None for anything else."""
    if not isinstance(values, Iterable):
        return None
    found = [to_whole(value) for value in values]
    return None if None in found else tuple(number for number in found if number is not None)


def whole_number(name: str, value: object, *, at_least: int | None = 1) -> int:
    """A count, as an int.

    Args:
        name: Name of the argument.
        value: An int, or a whole number of NumPy or torch.
        at_least: The smallest allowed; None for any.

    Raises:
        ConfigError: If it is not a whole number, or too small.

    Example:
        >>> whole_number("num_draws", 1e3)
        Traceback (most recent call last):
        pixelcnn.errors.ConfigError: `num_draws` must be a whole number, got 1000.0. Write 1000.
    """
    number = to_whole(value)
    if number is None:
        is_even = isinstance(value, float) and value.is_integer()
        advice = f" Write {int(value)}." if is_even else ""  # type: ignore[call-overload]
        raise ConfigError(f"`{name}` must be a whole number, got {value!r}.{advice}")
    if at_least is not None and number < at_least:
        raise ConfigError(f"`{name}` must be at least {at_least}, got {number}.")
    return number


def real_number(name: str, value: object) -> float:
    """A number, as a float.

    Raises:
        ConfigError: If it is not a number.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ConfigError(f"`{name}` must be a number, got {value!r}.")
    return float(value)


def check_share(name: str, value: float) -> None:
    """Raises `ConfigError` unless a share, of what is left out or changed, is from 0 to below 1."""
    if not 0 <= value < 1:  # which is true of NaN, too
        raise ConfigError(f"`{name}` must be in [0, 1), got {value}.")


def check_choice(name: str, value: object, allowed: Iterable[object]) -> None:
    """Raises `ConfigError` unless an argument is one of the values that it may be."""
    choices = list(allowed)
    if value not in choices:
        raise ConfigError(f"`{name}` must be one of {', '.join(map(str, choices))}, got {value!r}.")


def seed_number(value: object, name: str = "seed") -> int:
    """A seed, or the number of an image, as an int.

    Raises:
        ConfigError: If it is not a whole number from 0 to 2**64 - 1.
    """
    number = to_whole(value)
    if number is None or not 0 <= number < SEEDS:
        raise ConfigError(f"`{name}` must be a whole number from 0 to 2**64 - 1, got {value!r}.")
    return number


def image_shape(shape: object, axes: str = "C, H, W", *, name: str = "shape") -> tuple[int, ...]:
    """A shape, as ints.

    Args:
        shape: One whole number of at least 1 for each axis.
        axes: Names of the axes.
        name: Name of the argument.

    Raises:
        ShapeError: If it is not a shape.
    """
    sizes = to_wholes(shape)
    if sizes is None or len(sizes) != len(axes.split(", ")) or min(sizes) < 1:
        raise ShapeError(
            f"`{name}` must be ({axes}), whole numbers of at least 1, got {sizes or shape!r}."
        )
    return sizes


def check_tensor(name: str, value: object, holds: str, *, otherwise: str = "") -> None:
    """Raises `ShapeError` unless the argument is a tensor.

    Args:
        name: Name of the argument.
        value: The argument.
        holds: What it must hold, in words.
        otherwise: What to do if the argument is not an array either.
    """
    if isinstance(value, Tensor):
        return
    is_array = hasattr(value, "__array__") or isinstance(value, list | tuple)
    got = type(value).__name__ if is_array else repr(value)
    advice = f"Use `torch.as_tensor({name})`." if is_array else otherwise
    raise ShapeError(f"`{name}` must be a torch tensor of {holds}, got {got}. {advice}".rstrip())


def numbers_of(name: str, value: Any, must: str, *, dtype: torch.dtype | None = None) -> Tensor:
    """Numbers in a tensor, a list or an array, as a tensor.

    Args:
        name: Name of the argument.
        value: The argument.
        must: What it must be, in words.
        dtype: Of the tensor; None for that of the numbers.

    Raises:
        ShapeError: If it does not hold numbers.
    """
    try:
        return torch.as_tensor(value, dtype=dtype)
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        raise ShapeError(f"`{name}` must be {must}, got {value!r}.") from error


def bound_arguments(
    signature: inspect.Signature, owner: str, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> inspect.BoundArguments:
    """Matches the arguments of a call to the parameters of a class or function.

    Args:
        signature: Its parameters.
        owner: Its name, for messages.
        args: Arguments by position.
        kwargs: Arguments by name.

    Raises:
        ConfigError: If an argument is unknown, missing or given twice.

    Example:
        >>> bound_arguments(inspect.signature(image_shape), "image_shape", (), {"shap": 3})
        Traceback (most recent call last):
        pixelcnn.errors.ConfigError: `image_shape` takes `shape`, `axes`, `name`, got `shap`. \
Did you mean `shape`?
    """
    parameters = signature.parameters
    known = [each for each in parameters if each != "self"]
    unseen = len(parameters) - len(known)
    takes = f"`{owner}` takes {', '.join(f'`{each}`' for each in known) or 'no arguments'}"
    takes_any = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    for name in kwargs:
        if name not in parameters and not takes_any:
            raise ConfigError(f"{takes}, got `{name}`.{suggestion(name, known)}")
    try:
        return signature.bind(*args, **kwargs)
    except TypeError as error:
        if "too many positional" in str(error):
            by_place = [each for each in parameters.values() if each.kind is not each.KEYWORD_ONLY]
            raise ConfigError(
                f"{takes}, {_by_name(len(by_place) - unseen, len(args) - unseen)}"
            ) from None
        missing = [each for each in known if each not in kwargs]
        near = (suggestion(name, missing) for name in kwargs if name not in known)
        advice = next(filter(None, near), " Give arguments by name.")
        raise ConfigError(f"{takes}: {error}.{advice}") from None


def _by_name(allowed: int, given: int) -> str:
    """How many arguments may stand without their names, and how many do."""
    which = f"those after number {allowed} by name only" if allowed else "each by name"
    return f"{which}, got {given} without a name. Write name=value."


def named_arguments(target: CallableT) -> CallableT:
    """Decorates a public class or function: a wrong argument name is a `ConfigError`.

    The message lists the arguments and suggests the nearest.
    """
    called = target.__init__ if isinstance(target, type) else target  # type: ignore[misc]
    signature = inspect.signature(called)
    owner = target.__qualname__

    @functools.wraps(called)
    def checked(*args: Any, **kwargs: Any) -> Any:
        bound_arguments(signature, owner, args, kwargs)
        return called(*args, **kwargs)

    if isinstance(target, type):
        target.__init__ = checked  # type: ignore[misc]
        return target
    return checked  # type: ignore[return-value]


@contextmanager
def renamed_arguments(names: Mapping[str, str]) -> Iterator[None]:
    """Makes a `ConfigError` name arguments as the user gave them.

    Example:
        >>> with renamed_arguments({"num_draws": "--num-draws"}):
        ...     whole_number("num_draws", 0)
        Traceback (most recent call last):
        pixelcnn.errors.ConfigError: `--num-draws` must be at least 1, got 0.
    """
    try:
        yield
    except ConfigError as error:
        found = re.sub(r"`(\w+)`", lambda word: f"`{names.get(word[1], word[1])}`", str(error))
        found = re.sub(r"\b(\w+)(?==\w)", lambda word: names.get(word[1], word[1]), found)
        raise ConfigError(found) from error
