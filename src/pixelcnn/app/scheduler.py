"""Who may compute: visitors take turns, in the order in which they asked."""

import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """A queue of those who want to compute.

    Without it, ten visitors who draw at once would be ten threads on two cores, and the page of an
    eleventh, which only shows what is there, would wait for all of them.

    Args:
        num_at_once: So many compute at the same time.

    Example:
        >>> turns = Turns(1)
        >>> with turns.turn():
        ...     turns.pass_on()
    """

    def __init__(self, num_at_once: int) -> None:
        self._lock = threading.Lock()
        self._free = num_at_once
        self._waiting: deque[threading.Event] = deque()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Waits until it is one's turn, and gives it back afterwards."""
        self._take()
        try:
            yield
        finally:
            self._give()

    def pass_on(self) -> None:
        """Lets those go first who wait by now. Only within `turn`."""
        self._give()
        self._take()

    def _take(self) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            mine = threading.Event()
            self._waiting.append(mine)
        mine.wait()

    def _give(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()  # handed over: nobody can push in
            else:
                self._free += 1


TURNS = Turns(max(1, (os.cpu_count() or 1) // 2))
"""Those of this server. Each turn may use all cores, so half as many are never too few."""
