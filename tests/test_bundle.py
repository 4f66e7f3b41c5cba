"""`scripts/bundle.py` makes a bundled model from a run of its recipe."""

import json
import shutil

import pytest

from pixelcnn.checkpoint import read_card
from pixelcnn.cli import main as pixelcnn
from pixelcnn.config import load_config
from pixelcnn.config.images import load_images
from pixelcnn.evaluation import evaluate
from pixelcnn.runs import load
from scripts import bundle
from tests.cli.conftest import TINY


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A tiny run of a recipe with label dropout, scored on fewer images than there are."""
    folder = tmp_path_factory.mktemp("runs") / "finished"
    words = ["--preset=digits", "--model.label_dropout=0.2", "--device=cpu", *TINY]
    assert pixelcnn(["train", "--out", str(folder), *words]) == 0
    return folder


@pytest.fixture
def run(finished, tmp_path):
    """A copy of it, to be changed."""
    shutil.copytree(finished, tmp_path / "run")
    return tmp_path / "run"


def bundled(run, tmp_path):
    """The model of a run, as a bundled file."""
    assert bundle.main(["digits", "--run", str(run), "--into", str(tmp_path)]) == 0
    return tmp_path / "digits.safetensors"


def test_one_command_trains_and_bundles(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["--into", str(tmp_path / "bundle"), *TINY[:-1], "--sampling.per_label=1"]
    assert bundle.main(["digits", *words]) == 0
    assert "digits.safetensors: " in capsys.readouterr().out.splitlines()[-1]
    trained = load(tmp_path / "runs" / "bundle" / "digits" / "model.safetensors")
    model = load(tmp_path / "bundle" / "digits.safetensors")
    assert all(model.state_dict()[key].equal(w) for key, w in trained.state_dict().items())


def test_the_metrics_are_those_of_the_whole_test_set_with_and_without_labels(run, tmp_path):
    path = bundled(run, tmp_path)
    figures = read_card(path)["training"]["figures"]
    test = load_images(load_config(run / "config.yaml")).test
    assert json.loads((run / "metrics.json").read_text())["num_images"] == 20
    assert figures["num_images"] == len(test) == 40
    measured = evaluate(load(path), test)
    assert "nll_nats_without_label" in measured
    # Intervals follow from the images and are not kept.
    kept = {key: value for key, value in measured.items() if "_ci95" not in key}
    assert {key: figures[key] for key in kept} == kept
    assert figures["nll_nats_of_first"] == measured["nll_nats"]


def test_metrics_of_the_whole_test_set_are_taken_from_the_run(run, tmp_path):
    metrics = json.loads((run / "metrics.json").read_text())
    metrics |= {"num_images": 40, "nll_nats": 123.0}
    (run / "metrics.json").write_text(json.dumps(metrics))
    assert read_card(bundled(run, tmp_path))["training"]["figures"]["nll_nats"] == 123.0


def test_metrics_of_other_weights_are_not_taken(run, tmp_path):
    metrics = json.loads((run / "metrics.json").read_text())
    metrics |= {"num_images": 40, "nll_nats": 123.0, "fingerprint": "0" * 16}
    (run / "metrics.json").write_text(json.dumps(metrics))
    assert read_card(bundled(run, tmp_path))["training"]["figures"]["nll_nats"] != 123.0


def test_the_card_says_how_to_train_it_again_and_no_places(run, tmp_path):
    config = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(config.replace("data_root: null", "data_root: /home/me"))
    path = bundled(run, tmp_path)
    training = read_card(path)["training"]
    assert training["recipe"] == "digits"
    assert training["command"].startswith("pixelcnn train --preset digits --model.")
    assert "--model.label_dropout 0.2" in training["command"]
    assert training["data"] == {"dataset_name": "digits", "max_samples": 40}
    assert b"/home/me" not in path.read_bytes()


def test_a_bundled_model_knows_its_test_images(run, tmp_path, capsys):
    path = bundled(run, tmp_path)
    capsys.readouterr()
    assert pixelcnn(["evaluate", str(path), "--device=cpu"]) == 0
    out = capsys.readouterr().out
    assert "over 40 images of: digits, 17 levels" in out
    assert "p(x), no-label output: " in out


def test_too_large_a_model_is_refused_and_leaves_nothing(run, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bundle, "MAX_BYTES", 2_000)
    assert bundle.main(["digits", "--run", str(run), "--into", str(tmp_path / "bundle")]) == 2
    line = capsys.readouterr().err
    assert line.startswith("bundle: A bundled model must have at most 2,000 bytes")
    assert list((tmp_path / "bundle").iterdir()) == []


def test_an_unfinished_training_is_refused(run, tmp_path, capsys):
    (run / "metrics.json").unlink()
    assert bundle.main(["digits", "--run", str(run), "--into", str(tmp_path / "bundle")]) == 2
    assert "its training is unfinished" in capsys.readouterr().err


def test_a_run_takes_no_settings(run, capsys):
    assert bundle.main(["digits", "--run", str(run), "--training.max_epochs=3"]) == 2
    assert "has its own settings" in capsys.readouterr().err


def test_a_training_that_fails_is_not_bundled(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert bundle.main(["digits", "--device=cpu", "--model.num_classes=3"]) == 2
    assert "`model.num_classes`" in capsys.readouterr().err
