"""Arguments of the constructors: those that all models share, and checks that several need."""

import inspect
from abc import ABCMeta
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, get_type_hints

from pixelcnn.arguments import bound_arguments, whole_number
from pixelcnn.errors import ConfigError, clipped
from pixelcnn.hints import convert, describe

MOST_LAYERS = 10_000
NUM_HEADS = 4


class SharedOptions(TypedDict, total=False):
    """Arguments that every model takes. `AutoregressiveModel` documents them."""

    in_channels: int
    num_classes: int
    likelihood: str | None
    num_mixtures: int | None
    level_embedding_dim: int | None
    num_labels: int | None
    num_attributes: int | None
    num_map_channels: int | None
    label_dropout: float
    image_size: int | tuple[int, int] | None


class ModelClass(ABCMeta):
    """The class of model classes: reads the arguments of a constructor, and keeps them.

    A subclass names its own arguments and passes `**shared` on. Its signature then shows all of
    them, each is checked against its type hint, and `config` of the model holds them.
    """

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> None:
        super().__init__(name, bases, namespace)
        own = list(inspect.signature(cls.__init__).parameters.values())[1:]  # type: ignore[misc]
        try:
            hints = get_type_hints(cls.__init__)  # type: ignore[misc]
        except NameError:  # of names that only type checkers know: such arguments go unchecked
            hints = {}
        passes_on = any(each.kind is each.VAR_KEYWORD for each in own)
        shared = getattr(super(cls, cls), "__signature__", None) if passes_on else None
        parameters = {
            each.name: each.replace(annotation=hints.get(each.name, each.annotation))
            for each in own
            if shared is None or each.kind is not each.VAR_KEYWORD
        }
        for each in () if shared is None else shared.parameters.values():
            parameters.setdefault(each.name, each)
        cls.__signature__ = inspect.Signature(list(parameters.values()))

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        given = bound_arguments(cls.__signature__, cls.__name__, args, kwargs)
        for name, value in given.arguments.items():
            given.arguments[name] = typed_argument(name, value, cls.__signature__.parameters)
        model = super().__call__(*given.args, **given.kwargs)
        given.apply_defaults()
        model.config = {
            name: list(value) if isinstance(value, (tuple, list)) else value
            for name, value in given.arguments.items()
        }
        return model


def typed_argument(name: str, value: Any, arguments: Mapping[str, inspect.Parameter]) -> Any:
    """An argument in the type that its hint declares.

    Raises:
        ConfigError: If it is of another type.
    """
    hint = arguments[name].annotation
    try:
        return convert(value, hint)
    except TypeError:
        raise ConfigError(f"`{name}` must be {describe(hint)}, got {clipped(value)}.") from None


def check_least(least: int, **counts: int) -> None:
    """Raises `ConfigError` unless every count, given by its name, is at least so large."""
    for name, value in counts.items():
        whole_number(name, value, at_least=least)


def check_kernels(**kernel_sizes: int) -> None:
    """Raises `ConfigError` unless each window has a centre, and something around it."""
    for name, size in kernel_sizes.items():
        if size < 3 or size % 2 == 0:
            raise ConfigError(f"`{name}` must be odd and at least 3, got {size}.")


def cycled(dilations: Sequence[int] | None, count: int) -> list[int]:
    """One dilation for each of `count` layers; None for 1 everywhere.

    Raises:
        ConfigError: If there are none, or one is below 1; or if there are too many layers.
    """
    if count > MOST_LAYERS:
        raise ConfigError(f"A model must have at most {MOST_LAYERS:,} layers, got {count:,}.")
    if dilations is not None and (not dilations or min(dilations) < 1):
        raise ConfigError(f"`dilations` must be whole numbers from 1, got {list(dilations)}.")
    cycle = list(dilations or [1])
    return [cycle[i % len(cycle)] for i in range(count)]


def attention_places(attention_every: int | None, count: int, num_heads: int) -> range:
    """After which of the layers 1 to `count` attention stands: every n-th. None for nowhere.

    Raises:
        ConfigError: If `attention_every` is below 1, or so large that there would be none; or if
            there are heads of no attention.

    Example:
        >>> list(attention_places(2, 5, num_heads=4))
        [2, 4]
    """
    if attention_every is None and num_heads != NUM_HEADS:
        raise ConfigError(
            f"`num_heads` {num_heads} needs `attention_every`. Set that, or leave `num_heads` out."
        )
    if attention_every is None:
        return range(0)
    if not 1 <= attention_every <= count:
        raise ConfigError(
            f"`attention_every` must be at least 1 and at most the number of layers that attention "
            f"can follow, here {count}, got {attention_every}. Leave it out for no attention."
        )
    return range(attention_every, count + 1, attention_every)
