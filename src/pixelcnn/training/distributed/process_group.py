"""The processes that train together, and what they must agree on besides gradients."""

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
PATIENCE = timedelta(days=1)  # for the first process, which alone writes and draws


class ProcessGroup:
    """What processes that train together say to each other. One that is alone says nothing.

    All of it goes by the network of the processors, so no device ever waits for it.

    Args:
        process: Which of them this is.
        group: Their group of PyTorch, of the backend gloo; None for a process alone.
        store: What all of them can read and write; likewise.
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
        """Whether this process is the one that speaks and writes."""
        return self.process.is_first

    def share(self, what: T) -> T:
        """What the first process has."""
        if self.process.is_alone:
            return what
        parcel = [what if self.is_first else None]
        dist.broadcast_object_list(parcel, src=0, group=self.group)
        return parcel[0]  # type: ignore[return-value]

    def gather(self, what: T) -> list[T]:
        """What each process has, by rank."""
        if self.process.is_alone:
            return [what]
        found: list[Any] = [None] * self.process.world_size
        dist.all_gather_object(found, what, group=self.group)
        return found

    def together(self, do: Callable[[], T]) -> T:
        """Does something in every process: first in one of each machine, then in all others.

        What is downloaded or indexed is then there when others come for it.

        Raises:
            EndedElsewhereError: If it failed in an earlier process, which raises its own error.
        """
        result: Any = None
        error: Exception | None = None
        for turn in (True, False):
            if (self.process.local_rank == 0) is turn and error is None:
                try:
                    result = do()
                except Exception as raised:
                    error = raised
            failed = self.gather(error is not None)
            if any(failed):
                if error is not None and failed.index(True) == self.process.rank:
                    raise error
                raise EndedElsewhereError from error
        return result

    def first(self, do: Callable[[], T]) -> T:
        """Does something in the first process alone; all get the result.

        Raises:
            EndedElsewhereError: In the others, if it failed.
        """
        return self.share(self.together(lambda: do() if self.is_first else None))  # type: ignore[return-value]

    def last_word(self, error: BaseException) -> BaseException:
        """What an error that ends all processes becomes here: one of them speaks, once."""
        if self.process.is_alone or isinstance(error, EndedElsewhereError | SystemExit):
            return error
        if isinstance(error, KeyboardInterrupt):
            return error if self.is_first else EndedElsewhereError(INTERRUPTED)
        is_ours = isinstance(error, PixelCNNError)
        is_lost = not is_ours and isinstance(error, RuntimeError) and LOST.search(str(error))
        try:
            assert self.store is not None
            speaks = self.store.add("last word", 1) == 1
        except RuntimeError:  # whoever held it is gone, and has spoken
            speaks = not is_lost
        if not speaks:
            return EndedElsewhereError()
        if is_lost:
            return LostProcessError(
                "Another process of this training ended without a word, so all ended. If the "
                "system killed it, it may have run out of memory."
            )
        return error


class Vote:
    """The largest number that any process of a team has told.

    Args:
        team: All of them ask as often, in the same order.
    """

    def __init__(self, team: ProcessGroup) -> None:
        self.team = team
        self._told = torch.tensor(0)
        self._pending: dist.Work | None = None

    def so_far(self, number: int) -> int:
        """Tells a number; the largest of all that were told the last time.

        The answer is one question old, so that nothing waits: it arrives while devices compute.
        """
        if self.team.process.is_alone:
            return number
        answer = self._answer()
        self._told = torch.tensor(number)
        self._pending = dist.all_reduce(
            self._told, dist.ReduceOp.MAX, group=self.team.group, async_op=True
        )
        return answer

    def now(self, number: int) -> int:
        """Tells a number and waits; the largest of all that were told now or the last time."""
        before = self.so_far(number)
        return max(before, self._answer()) if self._pending else before

    def _answer(self) -> int:
        if self._pending is not None:
            self._pending.wait()
            self._pending = None
        return int(self._told)


_team: ProcessGroup | None = None


@contextmanager
def joined(device: str = "auto") -> Iterator[ProcessGroup]:
    """Joins the processes that were started to train together; alone, there is nothing to join.

    Inside such a block the same team is joined again.

    Args:
        device: Where they train, as `pixelcnn.device.resolve_device` takes it.

    Raises:
        EndedElsewhereError: In place of an error of the block that another process tells.
        PixelCNNError: If the others cannot be reached.
    """
    global _team
    process = this_process()
    if process.is_alone or _team is not None:
        yield _team or ProcessGroup(process)
        return
    has_gpu = device.startswith(("auto", "cuda")) and torch.cuda.is_available()
    try:
        _team = team = connect(process, "nccl" if has_gpu else "gloo")
    except RuntimeError as error:  # of PyTorch, whatever went wrong
        place = f"{os.environ.get('MASTER_ADDR')}:{os.environ.get('MASTER_PORT')}"
        raise PixelCNNError(
            f"The {process.world_size} processes that shall train together could not be joined: "
            f"{error}. Start all of them, on machines that reach each other and {place}."
        ) from error
    try:
        yield team
    except BaseException as error:
        # Without parting: whoever still waits for this process notices at once that it is gone.
        raised = team.last_word(error)
        raise raised from (None if raised is error else error)
    else:
        # The first may have much left to do, and needs none of the others for it.
        dist.destroy_process_group()
    finally:
        _team = None


def connect(process: Process, backend: str) -> ProcessGroup:
    """Connects this process with the others, by a backend of PyTorch for what devices exchange."""
    if "MASTER_ADDR" not in os.environ or "MASTER_PORT" not in os.environ:
        from lightning.fabric.plugins.environments import SLURMEnvironment

        # Lightning knows how SLURM lists machines; both answers are written to the environment.
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
        timeout=PATIENCE,
    )
    group = dist.new_group(backend="gloo", timeout=PATIENCE)
    assert isinstance(group, dist.ProcessGroup)  # no process is left out
    return ProcessGroup(process, group, dist.PrefixStore("team", store))
