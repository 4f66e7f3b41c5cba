"""Sampling and scoring in shards, killed again and again, end with the bytes of a run let be."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from pixelcnn.checkpoint import save
from pixelcnn.shards.archive import is_whole
from tests.shards.folders import contents

NUM_KILLS = 20
PROGRAM = {
    "sample": """
import sys, pixelcnn
model = pixelcnn.load(sys.argv[1])
pixelcnn.sample_shards(
    model, sys.argv[2], cond=[0, 1, 2, 3, 4], num_samples=630, shard_size=10, batch_size=5
)
""",
    "score": """
import sys, pixelcnn, torch
from pixelcnn.data import TensorImageSet
from pixelcnn.shards import ShardedScoring
x = torch.randint(4, (630, 1, 6, 5), generator=torch.Generator().manual_seed(0))
images = TensorImageSet(x, torch.arange(630) % 5, levels=4)
model = pixelcnn.load(sys.argv[1])
scoring = ShardedScoring(
    model, images, sys.argv[2], shard_size=10, batch_size=5, images="made up"
)
scoring.write(scoring.missing())
assert scoring.finish()
""",
}


def kill(words: list[str], folder: Path, wanted: int, moments: np.random.Generator) -> int:
    """Kills a program once it has made so many shards, a moment later; its exit code."""
    with subprocess.Popen(words) as running:
        while running.poll() is None and len(list(folder.glob("shard-*"))) < wanted:
            time.sleep(0.001)
        time.sleep(moments.uniform(0, 0.01))
        running.kill()
    return running.returncode


@pytest.mark.slow
@pytest.mark.parametrize("work", PROGRAM)
def test_twenty_kills_change_not_a_byte(model, tmp_path, work):
    save(model, tmp_path / "model.safetensors")
    words = [sys.executable, "-c", PROGRAM[work], str(tmp_path / "model.safetensors")]
    subprocess.run([*words, str(tmp_path / "whole")], check=True)
    folder, moments = tmp_path / "killed", np.random.default_rng(0)
    for number in range(NUM_KILLS):
        code = kill([*words, str(folder)], folder, 3 * number, moments)
        assert code == -signal.SIGKILL, f"it ended before kill {number + 1}"
        assert all(is_whole(file.read_bytes()) for file in folder.glob("shard-*"))
    subprocess.run([*words, str(folder)], check=True)
    assert contents(folder) == contents(tmp_path / "whole")
