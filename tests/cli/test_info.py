"""`pixelcnn info` says what a model is, to people and to programs."""

import json

from pixelcnn.checkpoint import fingerprint, load
from pixelcnn.cli import main


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
    for words in ("categorical", "rows above 4", "Ankle boot", "best epoch 3", "6, 5"):
        assert words in out


def test_a_model_that_is_not_there_is_one_line(fails, tmp_path):
    assert "There is no" in fails("info", tmp_path / "none.safetensors")
