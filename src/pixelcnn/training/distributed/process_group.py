"""The processes that train together, and what they exchange besides gradients."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist

from pixelcnn.errors import (
    INTERRUPTED,
    EndedElsewhereError,
    LostProcessError,
    PixelCNNError,
)
from pixelcnn.processes import Process, this_process

T = TypeVar("T")
# What PyTorch says, in a RuntimeError, when a process at the other end is gone.
LOST = re.compile(r"connection|peer|gloo|nccl|socket|store|timed? ?out", re.IGNORECASE)
TIMEOUT = timedelta(days=1)  # while the first process alone writes and samples


class ProcessGroup:
    """The processes that train together; a process alone is a group of one and exchanges nothing.

    All exchange goes over gloo between CPUs, so that no device waits for it.

    Args:
        process: This process.
        group: PyTorch's group of the backend gloo; None for a process alone.
        store: A key-value store of all processes; None for a process alone.
    """

    def __init__(
        self,
        process: Process,
        group: dist.ProcessGroup | None = None,
        store: dist.Store | None = None,
    ) -> None:
        self.process = process
        self.group = group
        self.store = store

    @property
    def is_first(self) -> bool:
        """Whether this process has rank 0: the one that prints and writes."""
        return self.process.is_first

    def broadcast(self, value: T) -> T:
        """Returns the value of the first process."""
        if self.process.is_alone:
            return value
        values = [value if self.is_first else None]
        dist.broadcast_object_list(values, src=0, group=self.group)
        return values[0]  # type: ignore[return-value]

    def all_gather(self, value: T) -> list[T]:
        """Returns the value of each process, by rank."""
        if self.process.is_alone:
            return [value]
        found: list[Any] = [None] * self.process.world_size
        dist.all_gather_object(found, value, group=self.group)
        return found

    def local_first(self, work: Callable[[], T]) -> T:
        """Does some work in every process: first in one of each machine, then in all others.

        What the first one downloads or indexes is there when the others need it.

        Raises:
            EndedElsewhereError: If it failed in an earlier process, which raises its own error.
        """
        result: Any = None
        error: Exception | None = None
        for is_local_first in (True, False):
            if (self.process.local_rank == 0) is is_local_first and error is None:
                try:
                    result = work()
                except Exception as raised:
                    error = raised
            failed = self.all_gather(error is not None)
            if any(failed):
                if error is not None and failed.index(True) == self.process.rank:
                    raise error
                raise EndedElsewhereError from error
        return result

    def run_on_first(self, work: Callable[[], T]) -> T:
        """Does some work in the first process alone; all get the result.

        Raises:
            EndedElsewhereError: In the others, if it failed.
        """
        return self.broadcast(self.local_first(lambda: work() if self.is_first else None))  # type: ignore[return-value]

    def error_to_raise(self, error: BaseException) -> BaseException:
        """The error to raise here when one ends all processes: only one of them reports it."""
        if self.process.is_alone or isinstance(error, EndedElsewhereError | SystemExit):
            return error
        if isinstance(error, KeyboardInterrupt):
            return error if self.is_first else EndedElsewhereError(INTERRUPTED)
        is_ours = isinstance(error, PixelCNNError)
        is_lost = not is_ours and isinstance(error, RuntimeError) and LOST.search(str(error))
        try:
            assert self.store is not None
            reports = self.store.add("reports", 1) == 1
        except RuntimeError:  # the process that held the store is gone, and has reported
            reports = not is_lost
        if not reports:
            return EndedElsewhereError()
        if is_lost:
            return LostProcessError(
                "Another process of this training was killed, so all ended. If the system killed "
                "it, it may have run out of memory."
            )
        return error


class AsyncMaximum:
    """The largest of the numbers that the processes of a group pass in, without waiting for it.

    Args:
        group: All of its processes call this equally often, in the same order.
    """

    def __init__(self, group: ProcessGroup) -> None:
        self.group = group
        self._number = torch.tensor(0)
        self._pending: dist.Work | None = None

    def update(self, number: int) -> int:
        """Passes a number in; returns the largest of those of the call before this one.

        The reduction runs while devices compute.
        """
        if self.group.process.is_alone:
            return number
        result = self._result()
        self._number = torch.tensor(number)
        self._pending = dist.all_reduce(
            self._number, dist.ReduceOp.MAX, group=self.group.group, async_op=True
        )
        return result

    def update_and_wait(self, number: int) -> int:
        """Passes a number in; returns the largest of those of this call and the one before it."""
        before = self.update(number)
        return max(before, self._result()) if self._pending else before

    def _result(self) -> int:
        if self._pending is not None:
            self._pending.wait()
            self._pending = None
        return int(self._number)


_current: ProcessGroup | None = None


@contextmanager
def process_group(device: str = "auto") -> Iterator[ProcessGroup]:
    """Connects the processes that were started to train together.

    A block inside of such a block gets the same group.

    Args:
        device: Where they train, as `pixelcnn.device.resolve_device` takes it.

    Raises:
        EndedElsewhereError: In place of an error of the block that another process reports.
        PixelCNNError: If the others cannot be reached.
    """
    global _current
    process = this_process()
    if process.is_alone or _current is not None:
        yield _current or ProcessGroup(process)
        return
    has_gpu = device.startswith(("auto", "cuda")) and torch.cuda.is_available()
    try:
        _current = group = connect(process, "nccl" if has_gpu else "gloo")
    except RuntimeError as error:  # of PyTorch, whatever went wrong
        place = f"{os.environ.get('MASTER_ADDR')}:{os.environ.get('MASTER_PORT')}"
        raise PixelCNNError(
            f"The {process.world_size} processes of this training could not be connected: "
            f"{error}. Start all of them, on machines that reach each other and {place}."
        ) from error
    try:
        yield group
    except BaseException as error:
        # Not destroyed: processes that wait for this one then detect at once that it has ended.
        raised = group.error_to_raise(error)
        raise raised from (None if raised is error else error)
    else:
        # The first may have much left to do, and needs none of the others for it.
        dist.destroy_process_group()
    finally:
        _current = None


def connect(process: Process, backend: str) -> ProcessGroup:
    """Connects this process with the others, by a backend of PyTorch for what devices exchange."""
    if "MASTER_ADDR" not in os.environ or "MASTER_PORT" not in os.environ:
        from lightning.fabric.plugins.environments import SLURMEnvironment

        # Lightning knows how SLURM lists machines; both values are written to the environment.
        slurm = SLURMEnvironment(auto_requeue=False)
        os.environ["MASTER_ADDR"] = slurm.main_address
        os.environ["MASTER_PORT"] = str(slurm.main_port)
    if backend == "nccl":
        torch.cuda.set_device(process.local_rank % torch.cuda.device_count())
    store, rank, size = next(
        dist.rendezvous("env://", rank=process.rank, world_size=process.world_size)
    )
    dist.init_process_group(
        backend,
        store=dist.PrefixStore("training", store),
        rank=rank,
        world_size=size,
        timeout=TIMEOUT,
    )
    group = dist.new_group(backend="gloo", timeout=TIMEOUT)
    assert isinstance(group, dist.ProcessGroup)  # no process is left out
    return ProcessGroup(process, group, dist.PrefixStore("group", store))
