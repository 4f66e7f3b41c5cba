"""How long one input may take, and how much memory; and what it took."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SECONDS = 2.0
BYTES = 2**30


class TookTooLongError(BaseException):
    """Ends a reader; no `except Exception` on the way may swallow it."""


@contextmanager
def limited(seconds: float = SECONDS, more_bytes: int = BYTES) -> Iterator[None]:
    """Ends what takes longer than so many seconds of CPU time; memory can grow by so many bytes.

    CPU time, so that other work on the machine does not count. Where the system has no such
    limits (other than Linux), the time is checked at the end.
    """
    if not sys.platform.startswith("linux"):
        began = time.process_time()
        yield
        assert time.process_time() - began < seconds, "took too long"
        return
    import resource

    def end(*_: object) -> None:
        raise TookTooLongError

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = signal.signal(signal.SIGPROF, end)
    resource.setrlimit(resource.RLIMIT_AS, (used + more_bytes, hard))
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        signal.signal(signal.SIGPROF, before)


def forget_peak() -> None:
    """Begins to measure the greatest memory anew, on Linux."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_bytes() -> int:
    """The greatest resident memory since `forget_peak`; 0 where the system does not say."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0
