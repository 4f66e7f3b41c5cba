"""Starts a command as several processes of this machine, and ends them together."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pixelcnn.errors import LOST, PixelCNNError
from pixelcnn.processes import PARENT

FORWARDED = ("SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2")
GRACE = 20.0  # seconds in which the others may end by themselves once one has failed


def launch(words: Sequence[str], count: int, *, waits_for_all: bool = False) -> int:
    """Runs a command in several processes, with the environment that `torchrun` gives to each.

    Signals are forwarded to all of them. When one fails the others get some seconds to end, and are
    then ended. They end, too, when this process is killed.

    Args:
        words: The words after `pixelcnn`.
        count: Processes.
        waits_for_all: Whether the others finish their work when one fails.

    Returns:
        0, or the exit code of the first that failed.

    Raises:
        PixelCNNError: If one was ended by a signal, or the processes lost the connection to each
            other; they leave it to this process to print that.
    """
    watched, held = os.pipe()
    processes: list[subprocess.Popen[bytes]] = []
    with forwarding(processes):
        try:
            environment = shared_environment(count) | {PARENT: str(watched)}
            for rank in range(count):
                own = {"RANK": str(rank), "LOCAL_RANK": str(rank)}
                command = [sys.executable, "-m", "pixelcnn", *words]
                processes.append(
                    subprocess.Popen(
                        command,
                        env={**os.environ, **environment, **own},
                        pass_fds=[watched],
                        start_new_session=True,  # a terminal would send Ctrl-C twice
                    )
                )
            os.close(watched)
            return outcome(processes, waits_for_all=waits_for_all)
        finally:
            end(processes)
            os.close(held)


def shared_environment(count: int) -> dict[str, str]:
    """The environment variables of all processes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return {
        "WORLD_SIZE": str(count),
        "LOCAL_WORLD_SIZE": str(count),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        # Otherwise each would use all cores, and wait for the others.
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(max(1, cores // count))),
    }


@contextmanager
def forwarding(processes: list[subprocess.Popen[bytes]]) -> Iterator[None]:
    """Forwards the signals of this process to all processes."""

    def forward(number: int, _: object) -> None:
        for process in processes:
            if process.poll() is None:
                process.send_signal(number)

    found = [getattr(signal, name) for name in FORWARDED if hasattr(signal, name)]
    before = {number: signal.signal(number, forward) for number in found}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def outcome(processes: Sequence[subprocess.Popen[bytes]], *, waits_for_all: bool) -> int:
    """Waits for all processes, or for some seconds after a failure; returns the exit code."""
    failed: list[int] = []
    until = float("inf")
    while time.monotonic() < until:
        codes = [process.poll() for process in processes]
        failed += [rank for rank, code in enumerate(codes) if code and rank not in failed]
        if None not in codes:
            break
        if failed and not waits_for_all:
            until = min(until, time.monotonic() + GRACE)
        time.sleep(0.05)
    ends = {rank: processes[rank].returncode for rank in failed}  # in the order of failure
    for rank, code in ends.items():
        if code < 0:
            raise PixelCNNError(
                f"Process {rank} of {len(processes)} was killed by {signal.Signals(-code).name}. "
                f"If the system did that, it may have run out of memory."
            )
    reported = [code for code in ends.values() if code != LOST]
    if failed and not reported:
        raise PixelCNNError("The processes lost the connection to each other, so all ended.")
    return reported[0] if reported else 0


def end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Ends running processes by SIGTERM, and after 10 seconds by SIGKILL."""
    for process in processes:
        if process.poll() is None:
            process.terminate()
    for process in processes:
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
