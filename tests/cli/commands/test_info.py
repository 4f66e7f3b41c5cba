"""`pixelcnn info` says what a model is, to people and to programs."""

import json
import re

from pixelcnn.checkpoint import fingerprint
from pixelcnn.cli import main
from pixelcnn.runs import load
from pixelcnn.weights import list_weights


def test_programs_get_json(model_file, capsys):
    assert main(["info", str(model_file), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    model = load(model_file)
    assert facts["architecture"] == "pixelcnn"
    assert facts["parameters"] == sum(weight.numel() for weight in model.parameters())
    assert facts["receptive_field"]["rows_above"] == model.receptive_field().rows_above
    assert facts["receptive_field"]["sees_all_past"] is False
    assert (facts["channels"], facts["levels"], facts["image_size"]) == (1, 4, [6, 5])
    assert facts["labels"] == ["Ankle boot", "bag", "coat"]
    assert facts["training"] == {"best_epoch": 3}
    assert facts["fingerprint"] == fingerprint(model)


def test_people_get_a_table(model_file, capsys):
    assert main(["info", str(model_file.parent)]) == 0
    out = capsys.readouterr().out
    for words in ("categorical", "rows above 4", "Ankle boot", "best epoch 3", "6×5"):
        assert words in out


def test_a_model_that_is_not_there_is_one_line(fails, tmp_path):
    assert "There is no" in fails("info", tmp_path / "none.safetensors")


def test_without_a_model_the_bundled_ones_are_listed(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["info"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^digits +8×8 +17 +10 ", out, flags=re.MULTILINE)
    assert "355 test images of digits, 17 levels" in out
    assert main(["info", "--json"]) == 0
    models = json.loads(capsys.readouterr().out)
    assert models.keys() == set(list_weights())
    assert models["digits"]["metrics"]["nll_nats"] > 0


def test_a_bundled_model_shows_its_metrics(capsys):
    assert main(["info", "digits"]) == 0
    assert "protocol digits, 17 levels" in capsys.readouterr().out


def test_a_run_shows_the_metrics_beside_its_model(run_folder, model_file, capsys):
    assert main(["info", str(run_folder), "--json"]) == 0
    metrics = json.loads((run_folder / "metrics.json").read_text())
    assert json.loads(capsys.readouterr().out)["metrics"] == metrics
    assert main(["info", str(model_file)]) == 0
    assert re.search(r"^metrics +– *$", capsys.readouterr().out, flags=re.MULTILINE)


def test_a_run_shows_how_it_was_started(run_folder, model_file, capsys):
    assert main(["info", str(run_folder), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["command"].startswith("pixelcnn train --preset digits --device cpu --out")
    assert facts["starts"] == 1
    assert facts["environment"]["versions"]["torch"]
    assert main(["info", str(run_folder)]) == 0
    assert "pixelcnn train --preset digits" in " ".join(capsys.readouterr().out.split())
    assert main(["info", str(model_file), "--json"]) == 0
    assert "environment" not in json.loads(capsys.readouterr().out)


def test_a_state_within_a_training_has_no_metrics(run_folder, capsys):
    assert main(["info", str(run_folder / "checkpoints" / "last.ckpt"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["metrics"] is None
