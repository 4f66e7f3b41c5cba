"""Training by two processes against one: images per second of the same training, in turn.

python -m benchmarks.together            (some minutes on two cores)
python -m benchmarks.together --rounds 9

Each process has one core and one thread. MNIST has to be there; see `data_root`.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial

from benchmarks.measure import Section, Spread, machine

HEAD = ["training", "one process, images/s", "two processes, images/s", "two against one"]
SPEED = re.compile(r"^epoch (\d+)/.* ([\d,.]+) images/s", re.MULTILINE)
EPOCHS = 3  # the first is a warm-up
TRAININGS = {
    "PixelCNN 64 × 4, batches of 64": ["--preset=mnist-binary", "--data.max_samples=1280"],
    "gated 32 × 8, attention, batches of 16": [
        "--preset=mnist-binary-gated",
        "--data.max_samples=480",
    ],
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


def speed(words: Sequence[str], cores: Sequence[int]) -> float:
    """Images per second of a training with a process on each of these cores, warm-up apart."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pixelcnn", "train", *words, *SAME, f"--out={folder}/run"]
        done = subprocess.run(
            [*command, f"--training.num_devices={len(cores)}"],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            preexec_fn=partial(os.sched_setaffinity, 0, cores),
            capture_output=True,
            text=True,
            check=False,
        )
    found = [float(text.replace(",", "")) for _, text in SPEED.findall(done.stderr)]
    if done.returncode or len(found) != EPOCHS:
        raise SystemExit(f"The training failed:\n{done.stderr}")
    return (EPOCHS - 1) / sum(1 / each for each in found[1:])


def rows(rounds: int, cores: Sequence[int]) -> list[list[str | Spread]]:
    """One row for each training, measured in turn so that a drifting machine is fair."""
    found = []
    for name, words in TRAININGS.items():
        one, two = [], []
        for _ in range(rounds):
            one.append(speed(words, cores[:1]))
            two.append(speed(words, cores[:2]))
        ratios = [both / single for single, both in zip(one, two, strict=True)]
        found.append([name, Spread.of(one), Spread.of(two), Spread.of(ratios)])
        print(f"{name}: {Spread.of(ratios).text()}", file=sys.stderr, flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        parser.exit(2, "Two cores are needed, one for each process.\n")
    setting = f"MNIST; loss, gradients, their exchange and optimiser. {machine()}."
    print(Section("Training together", setting, HEAD, rows(rounds, cores)).text())


if __name__ == "__main__":
    main()
