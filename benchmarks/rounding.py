"""Differences between training by two processes and by one, and the part due to rounding.

python -m benchmarks.rounding            (some minutes on two cores)

Each row is a training of a few dozen steps from the same weights: by one process, by two, and by
one that reads each batch in reverse, which changes only the order of summation and so shows the
effect of rounding; in 32 and in 64 bits. Needs MNIST, see docs/data.md.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

from benchmarks.measure import machine, table
from pixelcnn.cli.launch import shared_environment
from pixelcnn.data import Batch
from pixelcnn.runs import read_state
from pixelcnn.training import train_pixelcnn
from pixelcnn.training.distributed.process_group import process_group
from pixelcnn.training.loaders import EpochLoader

HEAD = [
    "training", "two processes: largest difference", "weights beyond 1e-5",
    "with a gradient over 1e-8", "validation NLL", "images reversed: largest difference",
    "weights beyond 1e-5", "two processes, 64 bits",

]  # fmt: skip
SMALL_GRADIENT = 1e-8  # as small as what Adam adds to it before dividing by it
FAR = 1e-5
DIGITS = {"dataset_name": "digits", "batch_size": 32, "max_samples": 640}
MNIST = {
    "dataset_name": "mnist", "binarization": "threshold", "batch_size": 64, "max_samples": 1280,
}  # fmt: skip
PLAIN = {"hidden_channels": 64, "num_residual_blocks": 4}
GATED = {
    "name": "gated", "hidden_channels": 32, "num_layers": 6, "attention_every": 3, "num_heads": 1,
}  # fmt: skip
SNAIL = {
    "name": "pixelsnail", "hidden_channels": 24, "num_blocks": 2, "num_resnets": 1, "num_heads": 1,
    "dropout": 0.0,
}  # fmt: skip
STREAMS = {
    "name": "pixelcnnpp", "hidden_channels": 24, "num_resnets": 1, "num_resolutions": 2,
    "num_mixtures": 5, "likelihood": "logistic_mixture", "dropout": 0.0,
}  # fmt: skip
SMOOTH = "the same, softplus for ReLU"
ROWS: list[tuple[str, dict[str, Any]]] = [
    ("PixelCNN 64 × 4, MNIST", {"model": PLAIN, "data": MNIST}),
    (SMOOTH, {"model": PLAIN, "data": MNIST, "smooth": True}),
    ("gated 32 × 6, attention, digits", {"model": GATED}),
    (SMOOTH, {"model": GATED, "smooth": True}),
    ("SNAIL, 2 attentions, digits", {"model": SNAIL}),
    ("++, 2 resolutions, digits", {"model": STREAMS}),
]


@contextmanager
def settings_of(job: Mapping[str, Any]) -> Iterator[None]:
    """Applies the number of bits, the order of images and the activation of a job."""
    read = EpochLoader.__iter__

    def reversed_batches(loader: EpochLoader) -> Iterator[Batch]:
        for batch in read(loader):
            yield batch._replace(x=batch.x.flip(0))

    before = torch.get_default_dtype()
    with ExitStack() as stack:
        if job.get("is_reversed"):
            stack.enter_context(patch.object(EpochLoader, "__iter__", reversed_batches))
        if job.get("smooth"):
            stack.enter_context(
                patch.object(torch.nn.functional, "relu", torch.nn.functional.softplus)
            )
        torch.set_default_dtype(torch.float64 if job.get("bits") == 64 else torch.float32)
        try:
            yield
        finally:
            torch.set_default_dtype(before)


def train(out: Path, job: Mapping[str, Any]) -> None:
    """Trains two epochs at a constant rate, in this process or in all of its group."""
    with settings_of(job):
        train_pixelcnn(
            job["model"],
            {"max_epochs": 2, "learning_rate": 1e-3, "precision": "32-true"},
            job.get("data", DIGITS),
            logger_config={"tensorboard": False, "csv": False, "sample_every_n_epochs": 0},
            out=out,
            device="cpu",
        )


def train_in_two(folder: Path, jobs: list[Mapping[str, Any]]) -> None:
    """Does each job by two processes, in a folder of its number."""
    command = [sys.executable, "-m", "benchmarks.rounding", str(folder), json.dumps(jobs)]
    shared = {**os.environ, **shared_environment(2)}
    processes = [
        subprocess.Popen(command, env={**shared, "RANK": rank, "LOCAL_RANK": rank}) for rank in "01"
    ]
    codes = [process.wait() for process in processes]
    if any(codes):
        raise SystemExit("A training by two processes failed.")


def differences(run: Path, other: Path) -> tuple[Tensor, Tensor, float]:
    """How two trainings differ.

    Returns:
        Absolute differences of all weights; the root mean square of their gradients, as Adam
        keeps it; the relative difference of the last validation loss.
    """
    states = [read_state(each / "checkpoints" / "last.ckpt") for each in (run, other)]
    moments = states[1]["optimizer_states"][0]["state"]
    steps = states[1]["global_step"]
    apart, sizes = [], []
    weights = [state["state_dict"].values() for state in states]
    for number, (one, two) in enumerate(zip(*weights, strict=True)):  # Adam counts as the state
        apart.append((one.double() - two.double()).abs().flatten())
        square = moments[number]["exp_avg_sq"].double() / (1 - 0.999**steps)
        sizes.append(square.sqrt().flatten())
    last = [state["callbacks"]["History"]["entries"][-1]["val_nll"] for state in states]
    return torch.cat(apart), torch.cat(sizes), abs(last[0] - last[1]) / abs(last[1])


def row(name: str, job: Mapping[str, Any], folder: Path) -> list[str]:
    """Differences of one training."""
    both = [dict(job), {**job, "bits": 64}]
    train_in_two(folder, both)
    train(folder / "one", job)
    train(folder / "reversed", {**job, "is_reversed": True})
    train(folder / "one-64", {**job, "bits": 64})
    apart, sizes, loss = differences(folder / "0", folder / "one")
    turned, _, _ = differences(folder / "reversed", folder / "one")
    exact, _, _ = differences(folder / "1", folder / "one-64")
    far = apart > FAR
    return [
        name,
        f"{apart.max():.1e}",
        f"{int(far.sum()):,} of {len(far):,}",
        f"{int((far & (sizes > SMALL_GRADIENT)).sum()):,}",
        f"{loss:.0e}",
        f"{turned.max():.1e}",
        f"{int((turned > FAR).sum()):,}",
        f"{exact.max():.0e}",
    ]


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    rows = []
    for name, job in ROWS:
        with tempfile.TemporaryDirectory() as folder:
            rows.append(row(name, job, Path(folder)))
        print(" | ".join(rows[-1]), file=sys.stderr, flush=True)
    print(f"{machine()}\n\n{table(HEAD, rows)}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    if "RANK" in os.environ:
        with process_group("cpu"):
            for number, each in enumerate(json.loads(sys.argv[2])):
                train(Path(sys.argv[1], str(number)), each)
    else:
        main()
