"""`pixelcnn verify` checks a model, writes a report, and fails by its exit code."""

import json

import torch

import pixelcnn.verification.consistency
from pixelcnn.checkpoint import save
from pixelcnn.cli import main
from pixelcnn.runs import load
from pixelcnn.weights import FOLDER


def report_of(model_file):
    return model_file.with_name("model.verification.json")


def test_a_correct_model_gets_a_report_that_info_shows(model_file, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    assert main(["info", str(model_file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verification"] is None
    assert main(["verify", str(model_file), "--sites", "4", "--device", "cpu"]) == 0
    out, err = capsys.readouterr()
    assert "No prediction depends on its own sub-pixel or on a later one." in out
    assert "10 of 10 checks passed" in out and "a sample of 4 of 30" in out
    assert out.splitlines()[-1] == str(report_of(model_file)) and err == ""
    assert json.loads(report_of(model_file).read_text())["passed"] is True
    assert main(["info", str(model_file), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)["verification"]
    assert (shown["passed"], shown["checks"], shown["failed"]) == (True, 10, [])
    assert "causality_gradients" in shown["checked_on_a_sample"]


def test_a_failed_check_is_exit_code_1_and_in_the_report(model_file, capsys, monkeypatch):
    monkeypatch.setattr(
        pixelcnn.verification.consistency, "quantise", lambda unit, levels: unit.long()
    )
    assert main(["verify", str(model_file), "--sites", "2"]) == 1
    assert "9 of 10 checks passed" in capsys.readouterr().out
    assert json.loads(report_of(model_file).read_text())["passed"] is False
    assert main(["info", str(model_file)]) == 0
    assert "failed level_round_trip" in capsys.readouterr().out


def test_a_report_of_other_weights_is_not_shown_as_valid(model_file, capsys):
    assert main(["verify", str(model_file), "--sites", "2"]) == 0
    model = load(model_file)
    with torch.no_grad():
        model.out.bias.add_(1e-3)
    save(model, model_file)
    capsys.readouterr()
    assert main(["info", str(model_file), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)["verification"]
    assert shown["passed"] is None and "is of other weights" in shown["reason"]
    report_of(model_file).write_text("{")
    assert main(["info", str(model_file), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)["verification"]
    assert shown["passed"] is None and "must be a verification report" in shown["reason"]


def test_the_file_can_be_named(model_file, tmp_path, capsys):
    out = tmp_path / "reports" / "one.json"
    assert main(["verify", str(model_file), "--sites", "2", "--out", str(out)]) == 0
    assert json.loads(out.read_text())["passed"] is True
    assert not report_of(model_file).exists()


def test_nothing_is_written_into_the_package(capsys, monkeypatch):
    before = sorted((file, file.stat().st_mtime_ns) for file in FOLDER.iterdir())
    monkeypatch.setattr(
        "pixelcnn.cli.commands.verify.verify", lambda model, **_: empty_report(model)
    )
    assert main(["verify", "digits"]) == 1
    assert "--out FILE" in capsys.readouterr().out
    assert sorted((file, file.stat().st_mtime_ns) for file in FOLDER.iterdir()) == before


def empty_report(model):
    from pixelcnn.verification import VerificationReport

    return VerificationReport((), "0" * 16, model.name, model.spec, "float32", "cpu", 0, "now", {})


def test_a_missing_model_is_one_line(fails, tmp_path):
    assert "There is no" in fails("verify", tmp_path / "none.safetensors")
