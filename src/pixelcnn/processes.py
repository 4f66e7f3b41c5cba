"""Which of the processes this is that share a piece of work, on one machine or many."""

import os
import signal
import threading
from dataclasses import dataclass

from pixelcnn.errors import ConfigError

# Of `torchrun`, and of our own `pixelcnn.cli.launch`; then of a step that `srun` began. A batch
# script of SLURM is no step: what it runs by itself is alone.
NAMES = (
    ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"),
    ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID", "SLURM_STEP_TASKS_PER_NODE"),
)

PARENT = "PIXELCNN_PARENT"
"""Environment variable: number of a pipe that whoever started this process alone holds open."""


@dataclass(frozen=True)
class Process:
    """One of the processes that share a piece of work.

    Attributes:
        rank: Its number among all, from 0.
        world_size: How many there are.
        local_rank: Its number among those of its machine.
        local_world_size: How many these are; the same on every machine.

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
        """Whether it is the one that speaks and writes what is written once."""
        return self.rank == 0

    @property
    def is_alone(self) -> bool:
        """Whether there is no other."""
        return self.world_size == 1

    @property
    def num_nodes(self) -> int:
        """Machines."""
        return self.world_size // self.local_world_size

    @property
    def node_rank(self) -> int:
        """Number of its machine, from 0."""
        return self.rank // self.local_world_size


def this_process(environment: "os._Environ[str] | dict[str, str] | None" = None) -> Process:
    """This process, as `torchrun`, SLURM's `srun` or `pixelcnn` itself started it; else one alone.

    Args:
        environment: Where that is read; None for the environment of this process.

    Raises:
        ConfigError: If what stands there cannot be.

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
    """Lets this process end, as by SIGTERM, when the one that started it is gone.

    For processes that one of ours started, which then holds their pipe; others are left alone.

    Returns:
        Whether it is one of those.
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
