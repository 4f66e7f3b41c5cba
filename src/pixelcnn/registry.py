"""Named implementations of one kind, to which users of the package can add their own."""

from collections.abc import Callable
from typing import TypeVar

from pixelcnn.errors import ConfigError, clipped, suggestion

T = TypeVar("T")
EntryT = TypeVar("EntryT")


class Registry(dict[str, T]):
    """Implementations by name.

    Args:
        argument: What chooses one of them is called, for messages.
        base: Class of which every implementation is a subclass; None for any callable.

    Example:
        >>> shapes = Registry[type]("shape")
        >>> @shapes.register("square")
        ... class Square: ...
        >>> shapes["square"].__name__
        'Square'
        >>> shapes.find("sqare")
        Traceback (most recent call last):
        pixelcnn.errors.ConfigError: `shape` must be one of square, got 'sqare'. \
Did you mean `square`?
    """

    def __init__(self, argument: str, base: type | None = None) -> None:
        super().__init__()
        self.argument = argument
        self.base = base

    def register(self, name: str) -> Callable[[EntryT], EntryT]:
        """Decorates an implementation, which is then found by this name.

        Args:
            name: A new name. A class also gets it as its attribute `name`.

        Raises:
            ConfigError: If another one has the name, or it is no implementation.
        """

        def enter(entry: EntryT) -> EntryT:
            self._check(name, entry)
            known = self.get(name)
            # The same definition once more, as a notebook cell that runs again makes it, replaces.
            if known is not None and identity(known) != identity(entry):
                raise ConfigError(
                    f"`{self.argument}` {name!r} must be a new name, but {identity(known)} has it. "
                    f"Choose another."
                )
            self[name] = entry  # type: ignore[assignment]
            if isinstance(entry, type):
                entry.name = name  # type: ignore[attr-defined]
            return entry

        return enter

    def _check(self, name: object, entry: object) -> None:
        """Raises `ConfigError` unless a name is text and an implementation is of the right kind."""
        if not isinstance(name, str) or not name:
            raise ConfigError(
                f'`{self.argument}` must be a name, got {clipped(name)}. Use `@register("name")`.'
            )
        base = self.base
        fits = (
            callable(entry) if base is None else isinstance(entry, type) and issubclass(entry, base)
        )
        if not fits:
            must = "a function" if base is None else f"a subclass of `{base.__name__}`"
            raise ConfigError(
                f"`{self.argument}` {name!r} must stand for {must}, got {clipped(entry)}."
            )

    def find(self, name: str) -> T:
        """The implementation of a name.

        Raises:
            ConfigError: If there is none.
        """
        if not isinstance(name, str) or name not in self:
            raise ConfigError(
                f"`{self.argument}` must be one of {', '.join(self)}, got {name!r}."
                f"{suggestion(str(name), self)}"
            )
        return self[name]


def identity(entry: object) -> str:
    """Where an implementation is defined, as dotted names."""
    return f"{getattr(entry, '__module__', '')}.{getattr(entry, '__qualname__', entry)}"
