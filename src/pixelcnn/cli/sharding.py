"""`--shards`: work on any number of images, shared by processes and safe to interrupt."""

import argparse
import sys
from collections.abc import Callable

import torch

from pixelcnn.cli.launch import launch
from pixelcnn.cli.outputs.console import counted, print_lines, progress_bar
from pixelcnn.device import resolve_device
from pixelcnn.errors import (
    INTERRUPTED,
    CheckpointError,
    ConfigError,
    EndedElsewhereError,
    OutputError,
    ShapeError,
)
from pixelcnn.logger import printable
from pixelcnn.processes import Process, this_process
from pixelcnn.shards import ShardedWork

SHARING = ("shard_size", "worker", "num_workers", "num_processes")


def check_sharing(args: argparse.Namespace) -> None:
    """Raises `ConfigError` unless the options that share the work fit together."""
    typed = [name for name in SHARING if vars(args)[name] is not None]
    if args.shards is None and typed:
        option = f"--{typed[0].replace('_', '-')}"
        raise ConfigError(f"`{option}` needs `--shards DIR`: add it, or leave both out.")
    if (args.worker is None) != (args.num_workers is None):
        raise ConfigError("`--worker` and `--num-workers` go together: add the other one.")
    if args.num_processes is not None and args.worker is not None:
        raise ConfigError("`--num-processes` starts its own workers: leave out `--worker`.")
    if args.num_processes is not None and not this_process().is_alone:
        raise ConfigError(
            "`--num-processes` needs a single process, and torchrun or srun started several. "
            "Leave it out."
        )


def worker_of(args: argparse.Namespace) -> Process:
    """Which worker this is: as typed, else as torchrun, SLURM or `--num-processes` started it."""
    if args.worker is None:
        return this_process()
    if args.worker >= args.num_workers:
        raise ConfigError(
            f"`--worker` must be from 0 to `--num-workers` - 1, got {args.worker} of "
            f"{args.num_workers}."
        )
    return Process(args.worker, args.num_workers)


def device_of(args: argparse.Namespace) -> str:
    """The device of this worker: the GPUs of a machine are assigned in turn."""
    device = resolve_device(args.device or "auto")
    if device != "cuda" or this_process().is_alone:
        return device
    return f"cuda:{this_process().local_rank % torch.cuda.device_count()}"


def shared(args: argparse.Namespace, work: Callable[[], int]) -> int:
    """Does the work here, or in `--num-processes` processes of this machine."""
    if args.num_processes is None or args.num_processes == 1:
        try:
            return work()
        except (ConfigError, ShapeError, CheckpointError):
            if this_process().local_rank:  # the first of this machine prints the same
                raise EndedElsewhereError from None
            raise
    words, skip = [], False
    for word in args.words:
        if not skip and word != "--num-processes" and not word.startswith("--num-processes="):
            words.append(word)
        skip = word == "--num-processes"
    # When one fails the others continue: their shards stay.
    return launch(words, args.num_processes, waits_for_all=True)


def fill(
    work: ShardedWork, args: argparse.Namespace, doing: str, *, note: Callable[[], str] = str
) -> bool:
    """Makes the missing shards of this worker.

    Args:
        work: The shards.
        args: What was typed.
        doing: The work in one word: "sampling".
        note: What the progress also shows.

    Returns:
        Whether all shards exist, and this process prints the summary.

    Raises:
        KeyboardInterrupt: After Ctrl-C, with a line that says how to continue.
        EndedElsewhereError: Instead, if another process prints it.
        OutputError: If written shards are not there.
    """
    worker = worker_of(args)
    is_printing = args.worker is not None or worker.is_first
    was_complete = work.is_listed
    missing = work.missing(worker=worker.rank, num_workers=worker.world_size)
    print_found(work, args, missing, is_printing=is_printing)
    try:
        title = f"{doing} {counted(len(missing), 'shard')}"
        with progress_bar(title, shown=is_printing, note=note) as tell:
            work.write(missing, on_progress=tell)
    except KeyboardInterrupt:
        if not is_printing:
            raise EndedElsewhereError(INTERRUPTED) from None
        left = work.missing(worker=worker.rank, num_workers=worker.world_size)
        raise KeyboardInterrupt(
            f"Stopped with {present(work, args, left)[1]} in {args.shards}. "
            f"Rerun the same command to make the rest."
        ) from None
    was_listed = work.is_listed
    if not work.finish():
        if worker.is_alone:
            raise OutputError(
                f"`{args.shards}` must hold the shards that were written there, and does not. "
                f"Check its disk, and whether another program writes there; then rerun this."
            )
        if args.worker is not None:
            own = counted(present(work, args, [])[0], "shard")
            place = f"worker {args.worker} in {args.shards}"
            print_lines(f"{own} of {place}; those of other workers are missing")
        return False
    # Of several workers the last one prints; none if all shards existed before.
    return worker.is_alone or (is_printing if was_complete else not was_listed)


def print_found(
    work: ShardedWork, args: argparse.Namespace, missing: list[int], *, is_printing: bool
) -> None:
    """Prints which shards exist already, and which of this worker are damaged."""
    damaged, (count, text) = work.damaged(missing), present(work, args, missing)
    if is_printing and count:
        print(printable(f"Continuing in {args.shards}: {text} exist."), file=sys.stderr)
    if damaged:
        text = f"{counted(len(damaged), 'shard')} damaged or of other settings"
        print(printable(f"In {args.shards}: {text}, made again."), file=sys.stderr)


def present(work: ShardedWork, args: argparse.Namespace, missing: list[int]) -> tuple[int, str]:
    """How many shards exist, of all or of the worker of `--worker`, as a number and as text."""
    if args.worker is None:
        count = work.num_present - len(work.damaged(missing))
        return count, f"{count:,} of {counted(work.plan.num_shards, 'shard')}"
    own = len(range(args.worker, work.plan.num_shards, args.num_workers))
    count = own - len(missing)
    return count, f"{count:,} of {counted(own, 'shard')} of worker {args.worker}"
