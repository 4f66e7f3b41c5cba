"""A training whose images are damaged ends in one line, and loses nothing that was there."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from pixelcnn.cli import main
from pixelcnn.data.sources.folders import folder

RNG = np.random.default_rng(0)


def cut(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def npz(place):
    np.savez(place / "mine.npz", x_train=RNG.integers(256, size=(9, 4, 5), dtype=np.uint8))
    cut(place / "mine.npz")
    return f"npz:{place / 'mine.npz'}", "mine.npz"


def images(place):
    """Nine images, one of them cut off behind its header."""
    for number in range(9):
        Image.fromarray(RNG.integers(256, size=(16, 16), dtype=np.uint8)).save(
            place / f"{number}.png"
        )
    cut(place / "4.png")
    return f"folder:{place}", "4.png"


def parquet(place):
    datasets = pytest.importorskip("datasets", reason="the extra `datasets` is not installed")
    datasets.Dataset.from_dict({"label": [1, 2]}).to_parquet(place / "mine.parquet")
    cut(place / "mine.parquet")
    return f"hf:{place / 'mine.parquet'}", "mine.parquet"


def contents(run):
    files = (path for path in run.rglob("*") if path.is_file())
    return {path.relative_to(run): path.read_bytes() for path in files}


@pytest.mark.parametrize("write", [npz, images, parquet])
@pytest.mark.parametrize("streamed", [False, True], ids=["held", "streamed"])
def test_an_earlier_run_stays_whole(run_folder, tmp_path, monkeypatch, capsys, write, streamed):
    if streamed:  # the damage is then found by the first epoch, and not before it
        make = folder.ImageFileOptions
        monkeypatch.setattr(folder, "ImageFileOptions", lambda *a: make(*a[:-1], 0))
    (tmp_path / "data").mkdir()
    name, broken = write(tmp_path / "data")
    run = shutil.copytree(run_folder, tmp_path / "run")
    before = contents(run)
    words = ["train", "--data.dataset_name", name, "--out", str(run), "--overwrite"]
    words += ["--model.hidden_channels=4", "--training.max_epochs=1", "--device=cpu"]
    assert main(words) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("pixelcnn: ") and broken in said
    after = contents(run)
    assert {path: after[path] for path in before} == before


def test_broken_files_are_said_once_and_counted_in_the_figures(tmp_path, capsys):
    (tmp_path / "data").mkdir()
    name, broken = images(tmp_path / "data")
    words = ["train", "--data.dataset_name", name, "--data.skip_broken_files", "true"]
    words += ["--model.hidden_channels=4", "--training.max_epochs=1", "--device=cpu"]
    assert main([*words, "--out", str(tmp_path / "run")]) == 0
    said = [line for line in capsys.readouterr().err.splitlines() if "broken file " in line]
    assert len(said) == 1
    assert said[0].startswith(f"1 broken file left out of {tmp_path / 'data'}: ")
    assert broken in said[0]
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert "1 broken file left out" in metrics["protocol"]
