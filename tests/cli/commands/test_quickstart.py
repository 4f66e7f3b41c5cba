"""`pixelcnn quickstart` is the digits recipe, with nothing to be typed."""

import pytest
import torch

from pixelcnn.cli import main
from pixelcnn.config import load_config


@pytest.fixture
def trained(monkeypatch):
    """The settings and folder of every training, none of which runs."""
    trainings = []

    def train(config, folder, *, command):
        assert command.startswith("pixelcnn quickstart")
        trainings.append((config, folder, torch.get_num_threads()))

    monkeypatch.setattr("pixelcnn.cli.commands.quickstart.train", train)
    return trainings


def test_it_trains_the_digits_recipe(trained, tmp_path):
    out = tmp_path / "quick"
    assert main(["quickstart", "--out", str(out), "--seed=3", "--device=cpu"]) == 0
    [(config, folder, _)] = trained
    recipe = load_config(preset="digits")
    assert folder == out
    assert (config.seed, config.device) == (3, "cpu")
    assert (config.model, config.training, config.data) == (
        recipe.model,
        recipe.training,
        recipe.data,
    )
    assert config.sampling.per_label == 10
    assert config.evaluation.split == "test"


def test_it_takes_one_thread_and_gives_the_others_back(trained, tmp_path):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert main(["quickstart", "--out", str(tmp_path)]) == 0
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert trained[0][2] == 1


def test_an_earlier_quickstart_is_replaced(trained, tmp_path):
    (tmp_path / "model.safetensors").write_text("old")
    assert main(["quickstart", "--out", str(tmp_path)]) == 0
    assert len(trained) == 1
