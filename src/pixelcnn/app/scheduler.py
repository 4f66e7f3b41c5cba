"""A queue for the processor, which visitors share."""

import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Scheduler:
    """Lets a limited number of threads compute at once, first come, first served.

    Without it, ten visitors who sample at once are ten threads on two cores, and the page of an
    eleventh, who computes nothing, waits for all of them.
    """

    def __init__(self, num_at_once: int) -> None:
        self._lock = threading.Lock()
        self._free = num_at_once
        self._waiting: deque[threading.Event] = deque()

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Waits for a slot, and releases it afterwards."""
        self._take()
        try:
            yield
        finally:
            self._give()

    def yield_slot(self) -> None:
        """Lets threads that wait now go first. Only within `slot`."""
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
                self._waiting.popleft().set()  # handed over, so that no other thread takes it
            else:
                self._free += 1


SCHEDULER = Scheduler(max(1, (os.cpu_count() or 1) // 2))
"""That of this server. A slot may use all cores, so half as many slots as cores suffice."""
