"""A training that is killed again and again ends as if it never was; through real processes."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.training.tiny_runs import assert_same_state

NUM_KILLS = 20
SETTINGS = [
    "--preset=digits",
    "--device=cpu",
    "--resume=auto",
    "--training.max_epochs=60",
    "--training.warmup_steps=5",
    "--training.ema_decay=0.95",
    "--training.checkpoint_every_n_steps=1",  # so that a kill often falls into a write
    "--training.accumulate_grad_batches=2",
    "--model.dropout=0.2",
    "--data.use_augmentation=true",
    "--data.binarization=dynamic",
    "--data.batch_size=64",
    "--logger.sample_every_n_epochs=0",
]
TIMES = ("seconds", "training_seconds", "num_seconds")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="sends POSIX signals"),
]


def start(folder: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "pixelcnn", "train", *SETTINGS, "--out", str(folder)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finish(folder: Path) -> None:
    process = start(folder)
    _, err = process.communicate(timeout=600)
    assert process.returncode == 0, err.decode()


def writes(folder: Path) -> list[Path]:
    """Checkpoints that are on their way."""
    return list(folder.glob("checkpoints/.*.ckpt"))


def kill(folder: Path, chance: random.Random, *, in_a_write: bool) -> bool:
    """Starts the training, lets it save some states, and kills it; whether a write was cut off."""
    before = newest(folder)
    process = start(folder)
    while newest(folder) == before and process.poll() is None:
        time.sleep(0.01)
    time.sleep(chance.uniform(0, 1))
    while in_a_write and not writes(folder) and process.poll() is None:
        pass
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return bool(writes(folder))


def newest(folder: Path) -> float:
    path = folder / "checkpoints" / "last.ckpt"
    return path.stat().st_mtime if path.exists() else 0


def figures(folder: Path) -> dict:
    """What metrics.json says apart from times."""
    metrics = json.loads((folder / "metrics.json").read_text())
    return {name: value for name, value in metrics.items() if name not in TIMES}


def test_twenty_kills_change_not_a_bit(tmp_path):
    whole, parts_of_it = tmp_path / "whole", tmp_path / "parts"
    finish(whole)
    chance, cut_off = random.Random(0), 0
    for number in range(NUM_KILLS):
        cut_off += kill(parts_of_it, chance, in_a_write=number % 2 == 1)
        assert not (parts_of_it / "metrics.json").exists(), f"it ended before kill {number + 1}"
    print(f"{cut_off} of {NUM_KILLS} kills cut off the writing of a state")
    assert cut_off >= NUM_KILLS // 4
    finish(parts_of_it)
    assert_same_state(parts_of_it / "checkpoints/last.ckpt", whole / "checkpoints/last.ckpt")
    assert_same_state(parts_of_it / "checkpoints/best.ckpt", whole / "checkpoints/best.ckpt")
    assert figures(parts_of_it) == figures(whole)
    assert not writes(parts_of_it)
