"""Training by two processes against one: images per second of the same training, in turn.

python -m benchmarks.data_parallel            (some minutes on two cores)
python -m benchmarks.data_parallel --rounds 9

Each process has one core and one thread. Needs MNIST, see docs/data.md.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import psutil

from benchmarks.measure import Section, Spread, machine

HEAD = [
    "training", "one process, images/s", "two processes, images/s", "two against one",
    "by CPU time",
]  # fmt: skip
EPOCH = re.compile(r"epoch \d+/.* ([\d,.]+) images/s")
EPOCHS = 3  # the first is a warm-up
IMAGES = {"mnist-binary": 1280, "mnist-binary-gated": 480}
TRAININGS = {
    "PixelCNN 64 × 4, batches of 64": "mnist-binary",
    "gated 32 × 8, attention, batches of 16": "mnist-binary-gated",
}
SAME = [
    "--device=cpu",
    f"--training.max_epochs={EPOCHS}",
    "--training.warmup_steps=0",
    "--training.compile=false",
    "--logger.sample_every_n_epochs=0",
    "--evaluation.max_samples=16",
    "--sampling.num_samples=1",
]


@dataclass(frozen=True)
class Speed:
    """Images per second of a training, without its first epoch.

    Attributes:
        wall: By wall time, as the training reports it; validation does not count.
        processor: By the CPU time of the busiest process, which neither other programs nor
            waiting for the other process change. Validation counts.
    """

    wall: float
    processor: float


def measure(preset: str, cores: Sequence[int]) -> Speed:
    """Trains with a process on each of these cores."""
    images, walls, spent = IMAGES[preset], [], []
    with tempfile.TemporaryDirectory() as folder:
        words = [f"--preset={preset}", f"--data.max_samples={images}", *SAME]
        command = [sys.executable, "-m", "pixelcnn", "train", *words, f"--out={folder}/run"]
        with subprocess.Popen(
            [*command, f"--training.num_devices={len(cores)}"],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            preexec_fn=partial(os.sched_setaffinity, 0, cores),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as run:
            assert run.stderr is not None
            for line in run.stderr:
                if found := EPOCH.match(line):
                    walls.append(float(found[1].replace(",", "")))
                    spent.append(processor_seconds(run.pid, len(cores)))
        if run.returncode or len(walls) != EPOCHS:
            raise SystemExit("The training failed: run its command alone to see why.")
    busiest = max(last - first for first, last in zip(spent[0], spent[-1], strict=True))
    wall = (EPOCHS - 1) / sum(1 / each for each in walls[1:])
    return Speed(wall, (EPOCHS - 1) * images / busiest)


def processor_seconds(pid: int, count: int) -> list[float]:
    """CPU time of each training process: the one started here, or its children."""
    started = psutil.Process(pid)
    processes = [started] if count == 1 else sorted(started.children(), key=lambda p: p.pid)
    times = [each.cpu_times() for each in processes]
    return [each.user + each.system for each in times]


def rows(rounds: int, cores: Sequence[int]) -> list[list[str | Spread]]:
    """One row for each training, measured in turn."""
    found = []
    for name, preset in TRAININGS.items():
        one, two = [], []
        for _ in range(rounds):
            one.append(measure(preset, cores[:1]))
            two.append(measure(preset, cores[:2]))
            print(f"{name}: {two[-1].wall / one[-1].wall:.2f}", file=sys.stderr, flush=True)
        pairs = list(zip(one, two, strict=True))
        found.append(
            [
                name,
                Spread.of([each.wall for each in one]),
                Spread.of([each.wall for each in two]),
                Spread.of([both.wall / single.wall for single, both in pairs]),
                Spread.of([both.processor / single.processor for single, both in pairs]),
            ]
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        parser.exit(2, "This benchmark needs two cores, one for each process.\n")
    setting = f"MNIST; loss, gradients, their exchange and optimiser. {machine()}."
    print(Section("Data-parallel training", setting, HEAD, rows(rounds, cores)).text())


if __name__ == "__main__":
    main()
