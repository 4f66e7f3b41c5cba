"""Opening a trained model by whatever names it."""

import subprocess
import sys

import pytest
import torch

import pixelcnn
from pixelcnn.checkpoint import read_card, save
from pixelcnn.errors import CheckpointError, ConfigError
from pixelcnn.models import PixelCNN
from pixelcnn.runs import MODEL_FILE, load_trained, open_model, read_state
from pixelcnn.training.checkpoint_io import AtomicCheckpointIO
from tests.runs.test_state import state_of

SIZES = {"num_residual_blocks": 1, "hidden_channels": 4}


@pytest.fixture
def folder(tmp_path):
    """A run folder with a model and the state of another training step."""
    save(PixelCNN(**SIZES), tmp_path / MODEL_FILE)
    (tmp_path / "config.yaml").write_text("")
    state = state_of(PixelCNN(num_labels=3, **SIZES))
    AtomicCheckpointIO().save_checkpoint(state, tmp_path / "checkpoints" / "last.ckpt")
    return tmp_path


def test_folders_files_states_and_names_are_loaded_alike(folder):
    file, state = folder / MODEL_FILE, folder / "checkpoints" / "last.ckpt"
    for path in (folder, str(folder), file):
        opened = open_model(path)
        assert (opened.file, opened.folder, opened.card) == (file, folder, read_card(file))
        assert pixelcnn.load(path).num_labels is None
    assert pixelcnn.load(state).num_labels == 3
    assert open_model(state).folder == folder
    assert open_model(state).training == {}
    assert open_model("digits").folder is None
    assert not pixelcnn.load("digits", device=torch.device("cpu")).training


def test_what_cannot_be_opened_is_said(folder):
    with pytest.raises(CheckpointError, match=r"There is no `nothing`\. Name a run folder"):
        pixelcnn.load("nothing")
    with pytest.raises(ConfigError, match="`device` must be auto, cpu"):
        pixelcnn.load("digits", device="tpu")
    with pytest.raises(ConfigError, match=r"`device` must be auto, cpu.*, got a PixelCNN"):
        pixelcnn.load("digits", device=PixelCNN(**SIZES))


def test_a_state_without_a_checksum_is_loaded_and_not_resumed(tmp_path):
    path, model = tmp_path / "plain.ckpt", PixelCNN(**SIZES)
    torch.save(state_of(model), path)
    weight = load_trained(path).state_dict()["out.bias"]
    assert torch.equal(weight, model.state_dict()["out.bias"])
    with pytest.raises(CheckpointError, match="checksum is missing"):
        read_state(path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match="is damaged"):
        load_trained(path)


def test_no_form_of_a_model_needs_lightning(folder):
    code = f"""
import sys, pixelcnn
for path in ({str(folder)!r}, {str(folder / "checkpoints" / "last.ckpt")!r}, "digits"):
    pixelcnn.load(path)
assert "lightning" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", [None, 3, ""])
def test_what_names_no_model_is_refused(name):
    with pytest.raises(CheckpointError, match=f"A model is a run folder, .*, got {name!r}"):
        pixelcnn.load(name)
