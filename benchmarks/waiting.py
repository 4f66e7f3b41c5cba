"""What a user waits for: sampling with the defaults, on an idle machine and on a busy one.

python -m benchmarks.waiting                 (some 20 minutes on an idle machine)
python -m benchmarks.waiting --quick         (one network in some 20 seconds)

Wall time of `generate` with the default threads and with one, in turn. A busy machine runs as many
other processes as it has cores, each with nothing but a loop.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import torch

from benchmarks.measure import Section, Spread, alternate, machine, ratio
from benchmarks.networks import NETWORKS
from pixelcnn.models import AutoregressiveModel

HEAD = [
    "network, images", "idle, s", "busy, s", "busy ÷ idle", "defaults ÷ one thread, idle",
    "busy",
]  # fmt: skip
ROUNDS = {1: 5, 16: 5, 64: 3, 256: 3}  # by number of images
BUSY = "while True: pass"


@contextmanager
def busy_machine() -> Iterator[None]:
    """As many other processes as there are cores."""
    others = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def sample(
    model: AutoregressiveModel, shape: tuple[int, int, int], count: int, num_threads: int
) -> None:
    """Samples images with so many threads at most."""
    before = torch.get_num_threads()
    torch.set_num_threads(num_threads)
    try:
        model.generate(shape, num_samples=count, seed=0)
    finally:
        torch.set_num_threads(before)


def row(
    name: str, model: AutoregressiveModel, shape: tuple[int, int, int], count: int, rounds: int
) -> list[str | Spread]:
    """One line of the table."""
    default = torch.get_num_threads()
    work: dict[str, Callable[[], object]] = {
        "defaults": partial(sample, model, shape, count, default),
        "one thread": partial(sample, model, shape, count, 1),
    }
    idle = alternate(work, rounds, warm_up=count < 256)
    with busy_machine():
        busy = alternate(work, rounds, warm_up=False)
    waits = {"idle": idle["defaults"], "busy": busy["defaults"]}
    return [
        f"{name}, {count}",
        *(Spread.of(seconds) for seconds in waits.values()),
        ratio(waits, "busy", "idle"),
        ratio(idle, "defaults", "one thread"),
        ratio(busy, "defaults", "one thread"),
    ]


def section(*, quick: bool) -> Section:
    """All networks; the first alone if `quick`."""
    rows = []
    for network in NETWORKS[: 1 if quick else None]:
        torch.manual_seed(0)
        model = network.make().eval()
        for count, rounds in ROUNDS.items():
            rows.append(row(network.name, model, network.shape, count, rounds))
    return Section("Waiting for samples", f"float32, wall time. {machine()}.", HEAD, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one network")
    print(section(quick=parser.parse_args().quick).text())


if __name__ == "__main__":
    main()
