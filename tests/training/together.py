"""Trains in several processes: run as a script it is one of them, imported it starts them.

Numbers have 64 bits, so that what differs by more than rounding is seen, unless a job says `bits`.
"""

import json
import os
import subprocess
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch.distributed.tensor import DTensor

import pixelcnn.training.module as module_of_training
from pixelcnn.cli.launch import shared_environment
from pixelcnn.data import DataWarning
from pixelcnn.training import train_pixelcnn
from pixelcnn.training.distributed.process_group import process_group

SILENT = {"tensorboard": False, "csv": False, "sample_every_n_epochs": 0}
FEW = {"dataset_name": "digits", "max_samples": 37, "batch_size": 8}  # 4 batches of 8, one of 5
TINY = {"hidden_channels": 6, "num_residual_blocks": 1}
# Torch 2.6 leaves a folder of its own to be cleaned up at the end of a process.
WARNINGS = ("-W", "error", "-W", "ignore:Implicitly cleaning up:ResourceWarning")


@contextmanager
def in_bits(count: int):
    before = torch.get_default_dtype()
    torch.set_default_dtype({32: torch.float32, 64: torch.float64}[count])
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def train(out: Path, job: dict[str, Any]):
    """A short training on a few digits."""
    with in_bits(job.get("bits", 64)), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`data.use_augmentation` mirrors", DataWarning)
        return train_pixelcnn(
            job.get("model", TINY),
            {"max_epochs": 2, "learning_rate": 1e-2, **job.get("training", {})},
            {**FEW, **job.get("data", {})},
            logger_config=SILENT,
            out=out,
            device="cpu",
            resume=job.get("resume"),
        )


def train_in_processes(count: int, folder: Path, jobs: list[dict[str, Any]]) -> list[str]:
    """Does each job in a folder of its number, by so many processes; what each of them said."""
    places = [str(Path(__file__).parents[2] / "src"), os.environ.get("PYTHONPATH", "")]
    shared = {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(places)}
    environment = {**os.environ, **shared_environment(count), **shared}
    processes = []
    for rank in range(count):
        processes.append(
            subprocess.Popen(
                [sys.executable, *WARNINGS, __file__, str(folder), json.dumps(jobs)],
                env={**environment, "RANK": str(rank), "LOCAL_RANK": str(rank)},
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    said = [process.communicate(timeout=300)[1] for process in processes]
    codes = [process.returncode for process in processes]
    assert codes == [0] * count, "\n".join(said)
    return said


def note_shards() -> list[float]:
    """The largest share of any weight that this process keeps, of each model that is spread."""
    shard, found = module_of_training.shard, []

    def noted(model, mesh):
        shard(model, mesh)
        assert all(isinstance(each, DTensor) for each in model.parameters())
        large = [each for each in model.parameters() if len(each) >= 2 * mesh.size()]
        found.append(max(each.to_local().numel() / each.numel() for each in large))

    module_of_training.shard = noted
    return found


if __name__ == "__main__":
    torch.set_num_threads(1)
    shares = note_shards()
    place, work = Path(sys.argv[1]), json.loads(sys.argv[2])
    with process_group("cpu") as group:
        for number, each in enumerate(work):
            result = train(place / str(number), each)
            everywhere = group.all_gather(result.history[-1]["val_nll"])
            assert len(set(everywhere)) == 1, everywhere
    num_spread = sum(each.get("training", {}).get("strategy") == "fsdp" for each in work)
    assert len(shares) == num_spread and all(share < 0.8 for share in shares), shares
