"""PyTorch's threads: one for a stream of small products, while large ones keep the pool."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch


class _Streams:
    """The Python threads that are in `one_thread` now, and the pool that they put aside."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.count = 0
        self.pool = 1

    def enter(self) -> int:
        """Sets one thread for this Python thread; gives the number to return to."""
        with self.lock:
            own = torch.get_num_threads()
            # A Python thread that starts meanwhile is born with one: its pool is that of the first.
            size = self.pool if self.count and own == 1 else own
            if not self.count:
                self.pool = own
            self.count += 1
            torch.set_num_threads(1)
        return size

    def leave(self, size: int) -> None:
        """Returns to the number that `enter` gave."""
        with self.lock:
            self.count -= 1
            torch.set_num_threads(size)


_streams = _Streams()
_here = threading.local()


def num_streams() -> int:
    """Python threads that are in `one_thread` now."""
    return _streams.count


@contextmanager
def one_thread() -> Iterator[None]:
    """Computes with one thread in this Python thread, and restores its number afterwards.

    A walk is hundreds of small products per site. Threads of a pool would wait for each other at
    every one of them: slower on a free machine, and many times slower where other programs run.

    Example:
        >>> before = torch.get_num_threads()
        >>> with one_thread():
        ...     torch.get_num_threads()
        1
        >>> torch.get_num_threads() == before
        True
    """
    if getattr(_here, "is_inside", False):
        yield
        return
    size, _here.is_inside = _streams.enter(), True
    try:
        yield
    finally:
        _here.is_inside = False
        _streams.leave(size)
