"""This process among those that share a task, on one machine or many."""

import os
import signal
import threading
from dataclasses import dataclass

from pixelcnn.errors import ConfigError

# Of `torchrun` and our own `pixelcnn.cli.launch`; then of a step that `srun` started. A batch
# script of SLURM is no step: it runs as a single process.
NAMES = (
    ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"),
    ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID", "SLURM_STEP_TASKS_PER_NODE"),
)

PARENT = "PIXELCNN_PARENT"
"""Environment variable: number of a pipe that only the process that started this one holds open."""


@dataclass(frozen=True)
class Process:
    """One of the processes that share a task.

    Attributes:
        rank: Its number among all processes, from 0.
        world_size: Number of processes.
        local_rank: Its number on its machine, from 0.
        local_world_size: Number of processes per machine; the same on every machine.

    Example:
        >>> Process(rank=5, world_size=8, local_rank=1, local_world_size=4).num_nodes
        2
    """

    rank: int = 0
    world_size: int = 1
    local_rank: int = 0
    local_world_size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether it is the process that prints and writes shared files."""
        return self.rank == 0

    @property
    def is_alone(self) -> bool:
        """Whether it is the only process."""
        return self.world_size == 1

    @property
    def num_nodes(self) -> int:
        """Number of machines."""
        return self.world_size // self.local_world_size

    @property
    def node_rank(self) -> int:
        """Number of its machine, from 0."""
        return self.rank // self.local_world_size


def this_process(environment: "os._Environ[str] | dict[str, str] | None" = None) -> Process:
    """This process, as `torchrun`, SLURM's `srun` or `pixelcnn` itself started it; else one alone.

    Args:
        environment: Environment variables; None for those of this process.

    Raises:
        ConfigError: If the variables contradict each other.

    Example:
        >>> this_process({"RANK": "2", "WORLD_SIZE": "4", "LOCAL_RANK": "0"}).world_size
        4
        >>> this_process({})
        Process(rank=0, world_size=1, local_rank=0, local_world_size=1)
    """
    found = os.environ if environment is None else environment
    for rank, world_size, local_rank, local_world_size in NAMES:
        if rank not in found or world_size not in found:
            continue
        size = _number(found, world_size)
        local = _number(found, local_world_size, default=size if local_rank in found else 1)
        here = Process(_number(found, rank), size, _number(found, local_rank, default=0), local)
        if not (here.rank < size and here.local_rank < local <= size and size % local == 0):
            raise ConfigError(
                f"`{rank}` must be below `{world_size}`, as many processes on each machine: the "
                f"environment says {here}. Start the processes by torchrun or srun."
            )
        return here
    return Process()


def end_with_parent() -> bool:
    """Ends this process, as by SIGTERM, when the one that started it has ended.

    Only for processes that one of ours started, which holds their pipe.

    Returns:
        Whether this is such a process.
    """
    pipe = os.environ.pop(PARENT, None)
    if pipe is not None:
        threading.Thread(target=_watch, args=(int(pipe),), daemon=True).start()
    return pipe is not None


def _watch(pipe: int) -> None:
    os.read(pipe, 1)  # nothing is ever written: this returns when the other end is closed
    os.kill(os.getpid(), signal.SIGTERM)


def _number(found: "os._Environ[str] | dict[str, str]", name: str, default: int = 0) -> int:
    # SLURM writes `4(x2)` for four tasks on each of two machines.
    text = found.get(name, str(default)).partition("(")[0]
    if not text.isdecimal():
        raise ConfigError(
            f"`{name}` in the environment must be a whole number, the same for every machine, got "
            f"{found[name]!r}. Start the processes by torchrun or srun."
        )
    return int(text)
