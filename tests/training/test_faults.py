"""What a training does when the disk, the folder or a file fails it; on real file systems."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from pixelcnn import checkpoint
from pixelcnn.cli import main
from pixelcnn.errors import CheckpointError
from pixelcnn.runs import read_state

WORDS = ["train", "--preset=digits", "--device=cpu", "--resume=auto", "--data.max_samples=100"]
# A rate that depends on the length of a run would make a longer one another one.
RATE = ["--training.schedule=constant", "--training.warmup_steps=0"]
SETTINGS = [*WORDS, *RATE, "--model.hidden_channels=16"]

pytestmark = pytest.mark.slow


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs the right to mount a small file system")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def words(folder: Path, epochs: int) -> list[str]:
    return [*SETTINGS, f"--training.max_epochs={epochs}", "--out", str(folder)]


def fill(folder: Path) -> Path:
    """Takes all the space there is."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return filler


def contents(folder: Path) -> dict[Path, bytes]:
    """What a run can go on from or be used by."""
    files = [*folder.glob("checkpoints/*"), *folder.glob("*.safetensors"), *folder.glob("*.json")]
    return {path: path.read_bytes() for path in files}


def assert_whole(folder: Path) -> None:
    for path in folder.glob("checkpoints/*"):
        assert path.name[0] != "."
        read_state(path)
    checkpoint.read_model(folder / "model.safetensors")


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return checkpoint.read_model(folder / "model.safetensors").state_dict()


def test_a_disk_that_fills_up_while_training_loses_nothing(disk):
    run = disk / "run"
    command = [sys.executable, "-m", "pixelcnn", *words(run, 100_000)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while not (run / "model.safetensors").exists() and process.poll() is None:
            time.sleep(0.01)
        fill(disk)
        _, err = process.communicate(timeout=120)
    last = err.decode().splitlines()[-1]
    assert (process.returncode, last[:10]) == (2, "pixelcnn: "), err.decode()
    assert "The disk is full" in last
    assert_whole(run)
    states = contents(run)
    assert main(words(run, 100_000)) == 2  # it is still full
    assert contents(run) == states


def test_a_run_on_a_full_disk_resumes_when_there_is_space(disk, tmp_path, capsys):
    run = disk / "run"
    assert main(words(tmp_path / "whole", 2)) == 0
    assert main(words(run, 1)) == 0
    before, filler = contents(run), fill(disk)
    assert main(words(run, 2)) == 2
    assert "The disk is full" in capsys.readouterr().err.splitlines()[-1]
    assert contents(run) == before
    filler.unlink()
    assert main(words(run, 2)) == 0
    mine, theirs = weights(run), weights(tmp_path / "whole")
    assert all(torch.equal(mine[name], theirs[name]) for name in theirs)


def test_a_folder_that_became_read_only_loses_nothing(disk, capsys):
    run = disk / "run"
    assert main(words(run, 1)) == 0
    before = contents(run)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    assert main(words(run, 2)) == 2
    assert "read-only" in capsys.readouterr().err.splitlines()[-1]
    assert contents(run) == before


def flip(path: Path, number: int) -> None:
    content = bytearray(path.read_bytes())
    chance = torch.Generator().manual_seed(number)
    position = int(torch.randint(len(content), (1,), generator=chance))
    content[position] ^= 1 << int(torch.randint(8, (1,), generator=chance))
    path.write_bytes(content)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    assert main(words(folder, 2)) == 0
    return folder


@pytest.mark.parametrize("number", range(50))
def test_one_flipped_bit_is_an_error_and_the_state_before_is_taken(run, number, capsys):
    before = contents(run)
    last, model = run / "checkpoints" / "last.ckpt", run / "model.safetensors"
    flip(last, number)
    flip(model, number)
    with pytest.raises(CheckpointError, match=r"model\.safetensors"):
        checkpoint.read_model(model)
    capsys.readouterr()
    try:
        assert main([*words(run, 9)[:4], "--resume", str(run), "--training.max_epochs=9"]) == 2
        err = capsys.readouterr().err
        assert err.startswith("pixelcnn: ") and err.count("\n") == 1
        assert "last.ckpt is damaged" in err
        assert {k: v for k, v in contents(run).items() if k not in (last, model)} == {
            k: v for k, v in before.items() if k not in (last, model)
        }
    finally:
        for path, content in before.items():
            path.write_bytes(content)


def test_auto_resumes_from_the_state_before_a_damaged_one(run, tmp_path, capsys):
    whole = tmp_path / "whole"
    assert main(words(whole, 3)) == 0
    flip(run / "checkpoints" / "last.ckpt", 0)
    assert main(words(run, 3)) == 0
    assert "Skipping a state" in capsys.readouterr().err
    mine, theirs = weights(run), weights(whole)
    assert all(torch.equal(mine[name], theirs[name]) for name in theirs)
