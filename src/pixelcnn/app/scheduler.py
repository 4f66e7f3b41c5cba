"""Who computes next: visitors share the processor."""

import os
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

HALF_LIFE = 10.0
"""Seconds after which computing counts half: who has computed long waits for about so long."""

FORGOTTEN = 1e-3
"""Seconds of computing that no longer count."""


class Scheduler:
    """Lets a limited number of works compute at once; first goes who has computed least lately.

    Without it, ten visitors who sample at once are ten threads on two cores, and a few images of
    one wait for the long completion of another.

    Args:
        num_at_once: Works that compute at once.
        clock: Gives seconds.
    """

    def __init__(self, num_at_once: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._free = num_at_once
        self._waiting: list[Slot] = []
        self._accounts: dict[Hashable, tuple[float, float]] = {}
        self._clock = clock

    @property
    def num_waiting(self) -> int:
        """Works that wait for a slot."""
        return len(self._waiting)

    def recent(self, visitor: Hashable) -> float:
        """Seconds that a visitor has computed, the less the longer ago."""
        seconds, then = self._accounts.get(visitor, (0.0, 0.0))
        return float(seconds * 0.5 ** ((self._clock() - then) / HALF_LIFE))

    @contextmanager
    def slot(self, visitor: Hashable = None) -> Iterator["Slot"]:
        """Waits for a slot, and releases it afterwards.

        Args:
            visitor: Whose computing it is; several works of one count together.
        """
        slot = Slot(self, visitor)
        with self._lock:
            self._waiting.append(slot)
            self._assign()
        slot.granted.wait()
        try:
            yield slot
        finally:
            with self._lock:
                self._charge(slot)
                self._free += 1
                self._assign()

    def yield_slot(self, slot: "Slot") -> None:
        """Lets works of visitors go first that have computed less. Only within `slot`."""
        with slot.lock:  # threads of one work wait together
            with self._lock:
                self._charge(slot)
                mine = self.recent(slot.visitor)
                if all(self.recent(each.visitor) >= mine for each in self._waiting):
                    return
                slot.granted.clear()
                self._waiting.append(slot)
                self._free += 1
                self._assign()
            slot.granted.wait()

    def _assign(self) -> None:
        """Gives free slots to those who wait; of equals the first goes first."""
        while self._free and self._waiting:
            best = min(self._waiting, key=lambda each: self.recent(each.visitor))
            self._waiting.remove(best)
            self._free -= 1
            best.since = self._clock()
            best.granted.set()

    def _charge(self, slot: "Slot") -> None:
        """Counts the time since the slot was given, or counted last."""
        now = self._clock()
        total = self.recent(slot.visitor) + now - slot.since
        slot.since = now
        self._accounts[slot.visitor] = (total, now)
        for visitor in [each for each in self._accounts if self.recent(each) < FORGOTTEN]:
            del self._accounts[visitor]


@dataclass(eq=False)
class Slot:
    """The right of a work to compute.

    Attributes:
        scheduler: Who gives it.
        visitor: Whose work it is.
        granted: Set while the work may compute.
        since: When its computing was last counted, by the scheduler's clock.
        lock: Held while the work waits.
    """

    scheduler: Scheduler
    visitor: Hashable
    granted: threading.Event = field(default_factory=threading.Event)
    since: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def pause(self) -> None:
        """Lets works of visitors go first that have computed less."""
        self.scheduler.yield_slot(self)


SCHEDULER = Scheduler(max(1, (os.cpu_count() or 1) // 2))
"""That of this server. A slot may use all cores, so half as many slots as cores suffice."""
