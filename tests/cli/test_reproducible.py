"""Two trainings with the same settings are the same."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pixelcnn.cli import main
from pixelcnn.runs import history_of, load, read_starts

SETTINGS = """
model: {hidden_channels: 4, num_residual_blocks: 1, dropout: 0.3, num_labels: 2,
        label_dropout: 0.2}
training: {max_epochs: 2, deterministic: true}
data: {dataset_name: "folder:images", batch_size: 16, num_workers: 2, use_augmentation: true,
       binarization: dynamic, image_size: 6}
logger: {log_every_n_steps: 1, sample_every_n_epochs: 1, tensorboard: false}
sampling: {per_label: 2}
seed: 3
"""
TIMES = {"seconds", "training_seconds"}


def files(folder: Path, pattern: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob(pattern))}


def here(words: list[str], folder: Path) -> None:
    """Runs a command in this process, whose random state is another each time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(words) == 0


def in_a_process(words: list[str], folder: Path) -> None:
    """Runs a command in a process of its own, as users do."""
    command = [sys.executable, "-m", "pixelcnn", *words]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300)


@pytest.fixture(scope="module", params=[here, pytest.param(in_a_process, marks=pytest.mark.slow)])
def twice(request, tmp_path_factory) -> list[Path]:
    """The folders of the two runs."""
    place = tmp_path_factory.mktemp("twice")
    generator = np.random.default_rng(0)
    for number in range(60):
        path = place / "images" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(generator.integers(0, 256, (6, 6), dtype=np.uint8)).save(path)
    (place / "settings.yaml").write_text(SETTINGS)
    for name in ("one", "two"):
        words = ["train", "--config", "settings.yaml", "--device", "cpu", "--out", name]
        request.param(words, place)
    return [place / "one", place / "two"]


def test_all_figures_are_the_same_apart_from_times(twice):
    one, two = (json.loads((folder / "metrics.json").read_text()) for folder in twice)
    assert set(one) >= TIMES
    assert {k: v for k, v in one.items() if k not in TIMES} == {
        k: v for k, v in two.items() if k not in TIMES
    }


def test_all_weights_are_the_same_to_the_bit(twice):
    one, two = (load(folder / "model.safetensors").state_dict() for folder in twice)
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_all_pictures_are_the_same(twice):
    for pattern in ("samples.png", "curves.png", "samples/*.png"):
        one, two = (files(folder, pattern) for folder in twice)
        assert one
        assert one == two


def test_learning_went_the_same_way(twice):
    one, two = (history_of(folder / "model.safetensors") for folder in twice)
    assert len(one) == 2
    assert one == two


def test_each_says_by_which_command_it_was_made(twice):
    commands = [read_starts(folder)[0]["command"] for folder in twice]
    for name, command in zip(("one", "two"), commands, strict=True):
        assert command == f"pixelcnn train --config settings.yaml --device cpu --out {name}"
