"""`pixelcnn import` makes a model file of a foreign checkpoint."""

import json

import torch

from pixelcnn.checkpoint import read_card
from pixelcnn.cli import main
from tests.importing.published import PytorchGenerative


def checkpoint(folder):
    path = folder / "theirs.pt"
    torch.save(PytorchGenerative(residual=2, num_blocks=1, head=3).state_dict(), path)
    return path


def test_a_foreign_checkpoint_becomes_a_file_that_other_commands_take(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert main(["import", "pytorch-generative", str(checkpoint(tmp_path)), "--size", "5x6"]) == 0
    assert "images of 1×5×6 sub-pixels and 2 levels" in capsys.readouterr().out
    origin = read_card("theirs.safetensors")["training"]["imported"]
    assert (origin["source"], origin["file"]) == ("pytorch-generative", "theirs.pt")
    assert main(["info", "theirs.safetensors", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["architecture"] == "pixelcnn"
    assert main(["sample", "theirs.safetensors", "--num-samples", "2", "--out", "s.png"]) == 0


def test_a_file_of_another_source_is_refused_and_nothing_written(tmp_path, capsys):
    out = tmp_path / "new" / "a.safetensors"
    assert main(["import", "uva-tutorial", str(checkpoint(tmp_path)), "--out", str(out)]) == 2
    assert "conv_out.weight" in capsys.readouterr().err and not out.parent.exists()
    assert main(["import", "uva-tutorial", str(tmp_path / "theirs.pt"), "--out", "a.pt"]) == 2
    assert "`--out` must end in .safetensors" in capsys.readouterr().err
