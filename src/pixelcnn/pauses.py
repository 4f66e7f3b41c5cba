"""Points between the short steps of long work, where a caller may let other work go first."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_CALL: ContextVar[Callable[[], object] | None] = ContextVar("call", default=None)


@contextmanager
def at_each_pause(call: Callable[[], object]) -> Iterator[None]:
    """Calls a function at each `pause` of the work within: a row of a walk, a step of a chain.

    Args:
        call: May wait; what it raises ends the work.

    Example:
        >>> with at_each_pause(lambda: print("a step ended")):
        ...     pause()
        a step ended
        >>> pause()
    """
    former = _CALL.set(call)
    try:
        yield
    finally:
        _CALL.reset(former)


def pause() -> None:
    """Ends a step of long work."""
    call = _CALL.get()
    if call is not None:
        call()
