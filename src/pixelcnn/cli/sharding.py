"""`--shards`: work on any number of images into a folder, shared and gone on with after a stop."""

import argparse
import sys
from collections.abc import Callable

import torch

from pixelcnn.cli.launch import launch
from pixelcnn.cli.outputs.console import counted, progress_bar
from pixelcnn.device import resolve_device
from pixelcnn.errors import (
    INTERRUPTED,
    CheckpointError,
    ConfigError,
    EndedElsewhereError,
    OutputError,
    ShapeError,
)
from pixelcnn.processes import Process, this_process
from pixelcnn.shards import ShardedWork

SHARING = ("shard_size", "worker", "num_workers", "num_processes")


def check_sharing(args: argparse.Namespace) -> None:
    """Raises `ConfigError` unless what says how to share the work fits together."""
    typed = [name for name in SHARING if vars(args)[name] is not None]
    if args.shards is None and typed:
        raise ConfigError(f"`{_option(typed[0])}` needs `--shards DIR`.")
    if (args.worker is None) != (args.num_workers is None):
        raise ConfigError("`--worker` and `--num-workers` go together: which one of how many.")
    if args.num_processes is not None and args.worker is not None:
        raise ConfigError("`--num-processes` starts its own workers: leave out `--worker`.")
    if args.num_processes is not None and not this_process().is_alone:
        raise ConfigError("Several processes are started already: leave out `--num-processes`.")


def worker_of(args: argparse.Namespace) -> Process:
    """Which worker this is: as typed, else as torchrun, SLURM or `--num-processes` started it.

    Raises:
        ConfigError: If there is no such worker.
    """
    if args.worker is None:
        return this_process()
    if args.worker >= args.num_workers:
        raise ConfigError(
            f"`--worker` must be from 0 to `--num-workers` - 1, got {args.worker} of "
            f"{args.num_workers}."
        )
    return Process(args.worker, args.num_workers)


def device_of(args: argparse.Namespace) -> str:
    """Where this worker computes: of several GPUs, those of a machine are dealt out in turn."""
    device = resolve_device(args.device or "auto")
    if device != "cuda" or this_process().is_alone:
        return device
    return f"cuda:{this_process().local_rank % torch.cuda.device_count()}"


def shared(args: argparse.Namespace, work: Callable[[], int]) -> int:
    """Does the work here, or in as many processes of this machine as `--num-processes` says."""
    if args.num_processes is None or args.num_processes == 1:
        try:
            return work()
        except (ConfigError, ShapeError, CheckpointError):
            if this_process().local_rank:  # the first of this machine was asked for the same
                raise EndedElsewhereError from None
            raise
    words, skip = [], False
    for word in args.words:
        if not skip and word != "--num-processes" and not word.startswith("--num-processes="):
            words.append(word)
        skip = word == "--num-processes"
    # When one fails the others go on: what they make stays.
    return launch(words, args.num_processes, waits_for_all=True)


def fill(work: ShardedWork, args: argparse.Namespace, doing: str) -> bool:
    """Makes what is missing of the shards of this worker.

    Args:
        work: What is made.
        args: What was typed.
        doing: Which work that is: "drawing".

    Returns:
        Whether all is there, and this process shall say so.

    Raises:
        KeyboardInterrupt: After Ctrl-C, with a line that says how to go on.
        EndedElsewhereError: Instead, where another process says it.
        OutputError: If what was written is not there.
    """
    worker = worker_of(args)
    is_speaker = args.worker is not None or worker.is_first
    was_whole = work.is_listed
    missing = work.missing(worker=worker.rank, num_workers=worker.world_size)
    tell_found(work, args, missing, is_speaker=is_speaker)
    try:
        with progress_bar(f"{doing} {counted(len(missing), 'shard')}", shown=is_speaker) as tell:
            work.write(missing, on_progress=tell)
    except KeyboardInterrupt:
        if not is_speaker:
            raise EndedElsewhereError(INTERRUPTED) from None
        left = work.missing(worker=worker.rank, num_workers=worker.world_size)
        raise KeyboardInterrupt(
            f"Stopped with {present(work, args, left)[1]} in {args.shards}. "
            f"The same command makes the rest."
        ) from None
    was_listed = work.is_listed
    if not work.finish():
        if worker.is_alone:
            raise OutputError(
                f"`{args.shards}` must hold what was written there, and does not. "
                f"Check its disk, and whether something else writes there; then run this again."
            )
        if args.worker is not None:
            own = counted(present(work, args, [])[0], "shard")
            print(f"{own} of worker {args.worker} in {args.shards}; others miss")
        return False
    # Of several workers the one that is done last speaks; none if all was there before.
    return worker.is_alone or (is_speaker if was_whole else not was_listed)


def tell_found(
    work: ShardedWork, args: argparse.Namespace, missing: list[int], *, is_speaker: bool
) -> None:
    """Says what was there before, and what is damaged of the shards of this worker."""
    damaged, (count, told) = work.damaged(missing), present(work, args, missing)
    if is_speaker and count:
        print(f"Going on in {args.shards}: {told} are there.", file=sys.stderr)
    if damaged:
        told = f"{counted(len(damaged), 'shard')} damaged or made otherwise"
        print(f"In {args.shards}: {told}, made again.", file=sys.stderr)


def present(work: ShardedWork, args: argparse.Namespace, missing: list[int]) -> tuple[int, str]:
    """How many shards are there: of all, or of the worker that was typed, who knows of its own.

    Args:
        work: What is made.
        args: What was typed.
        missing: Those of this worker that are not there or damaged.

    Returns:
        Their number, and in words.
    """
    if args.worker is None:
        count = work.num_present - len(work.damaged(missing))
        return count, f"{count:,} of {counted(work.plan.num_shards, 'shard')}"
    own = len(range(args.worker, work.plan.num_shards, args.num_workers))
    count = own - len(missing)
    return count, f"{count:,} of {counted(own, 'shard')} of worker {args.worker}"


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
