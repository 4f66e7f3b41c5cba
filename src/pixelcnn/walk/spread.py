"""Spreading a batch over the cores: parts of a fixed size, walked by processes of their own.

Threads of Python would wait for each other at every operation of a step: on two cores they are
slower than one. A forked process has the model already, and starts in some 20 ms.
"""

import mmap
import os
import pickle
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Generator, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from pixelcnn.errors import LostProcessError
from pixelcnn.threads import num_streams

Rows: TypeAlias = Generator[int, None, None]
"""A walk: yields the number of rows that are complete, after each."""

PART = 128
"""Images of a part. In float32 products of another size may differ in the last bit, so parts do not
depend on the number of cores. Smaller ones would cost more than a second core gains."""

LEAST_SIZE = 100_000
"""Sub-pixels of a batch for which processes pay: some tenths of a second."""


def walk_parts(x: Tensor, walk_of: Callable[[Tensor, slice], Rows]) -> Rows:
    """Walks a batch in parts, side by side where there are cores and threads for it.

    `torch.set_num_threads` and the cores of the process bound the number of processes. Where
    processes cannot be forked safely (not on Linux, or where other Python threads walk) the parts
    are walked in this one. The images are the same.

    Args:
        x: Images on the CPU, filled in place. (B, C, H, W), int64.
        walk_of: Begins the walk over a part, given its images and which of the batch they are.

    Yields:
        The number of rows that are complete.

    Raises:
        LostProcessError: If a process is killed.
        Exception: As raised by a part.
    """
    parts = [slice(first, first + PART) for first in range(0, len(x), PART)]
    count = _num_workers(x, len(parts))
    if count == 1:
        yield from _together([walk_of(x[part], part) for part in parts])
        return
    shared = _shared(x.shape)
    done = _shared(torch.Size([count]))
    workers: list[_Worker] = []
    try:
        for number in range(1, count):
            walks = [walk_of(shared[part], part) for part in parts[number::count]]
            workers.append(_Worker(walks, done[number]))
        own = _together([walk_of(shared[part], part) for part in parts[::count]])
        shown = 0
        for done[0] in own:
            while shown < min(int(done.min()), x.shape[2] - 1):
                shown += 1
                yield _show(x, shared, shown)
        for worker in workers:
            worker.join()
        while shown < x.shape[2]:
            shown += 1
            yield _show(x, shared, shown)
    finally:
        for worker in workers:
            worker.end()


class _Worker:
    """A forked process that walks some parts."""

    def __init__(self, walks: Sequence[Rows], done: Tensor) -> None:
        self.status: int | None = None
        self.pipe, pipe = os.pipe()
        with warnings.catch_warnings():
            # Python 3.12 warns of any other thread. Those that walk were looked for.
            warnings.simplefilter("ignore", DeprecationWarning)
            self.pid = os.fork()
        if self.pid == 0:
            _work(walks, done, pipe)
        os.close(pipe)

    def join(self) -> None:
        """Waits for the end, and raises what the process raised."""
        with os.fdopen(os.dup(self.pipe), "rb") as pipe:
            error = pipe.read()  # until the process ends
        self._wait()
        if error:
            raise pickle.loads(error)
        if self.status:
            raise LostProcessError(
                f"All processes that sample must stay alive until the end, got one that ended with "
                f"status {self.status}. Sample again, with a smaller `batch_size` if memory is "
                f"short."
            )

    def end(self) -> None:
        """Ends the process, if it is still under way."""
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            self._wait()
        os.close(self.pipe)

    def _wait(self) -> None:
        if self.status is None:
            self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def _work(walks: Sequence[Rows], done: Tensor, pipe: int) -> None:
    """All that a forked process does; it never returns."""
    status, parent = 1, os.getppid()
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends it
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        torch.set_num_threads(1)
        for rows in _together(walks):
            done.fill_(rows)
            if os.getppid() != parent:
                break
        status = 0
    except BaseException as error:
        with os.fdopen(pipe, "wb") as file:
            pickle.dump(error, file)
    finally:
        os._exit(status)


def _num_workers(x: Tensor, num_parts: int) -> int:
    is_alone = threading.current_thread() is threading.main_thread() and not num_streams()
    if sys.platform != "linux" or not is_alone or x.numel() < LEAST_SIZE:
        return 1
    return max(1, min(num_parts, torch.get_num_threads(), len(os.sched_getaffinity(0))))


def _together(walks: Sequence[Rows]) -> Rows:
    """Several walks, a row of each in turn."""
    try:
        for rows in zip(*walks, strict=True):
            yield rows[0]
    finally:
        for walk in walks:
            walk.close()


def _shared(shape: torch.Size) -> Tensor:
    """Zeros, int64, that forked processes write to."""
    memory = mmap.mmap(-1, 8 * shape.numel())
    return torch.frombuffer(memory, dtype=torch.int64).view(shape)


def _show(x: Tensor, shared: Tensor, rows: int) -> int:
    x.copy_(shared)
    return rows
