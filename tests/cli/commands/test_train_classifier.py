"""`pixelcnn train-classifier` trains a classifier to evaluate samples with."""

import pytest

from pixelcnn.cli import main
from pixelcnn.metrics import load_classifier

SHORT = ["--epochs=1", "--width=2", "--device=cpu", "--data.max_samples=60"]


def test_the_file_holds_how_the_classifier_was_trained(tmp_path, capsys):
    out = tmp_path / "mine.safetensors"
    assert main(["train-classifier", "--preset=digits", *SHORT, "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "% on 60 test images" in said
    assert said.endswith(f"{out}\n")
    training = load_classifier(out).training
    assert training["data"] == {"dataset_name": "digits", "binarization": "none"}
    assert training["protocol"].startswith("digits, 17 levels")
    assert training["num_test"] == 60
    assert training["command"] == (
        "pixelcnn train-classifier --data.dataset_name digits --data.max_samples 60 --epochs 1 "
        "--width 2 --out FILE.safetensors"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "A classifier needs images"),
        (
            ["--preset=digits", "--model.hidden_channels=4"],
            "got `--model.hidden_channels`. Leave it out",
        ),
        (["--preset=digits", "--learning-rate=7"], "`--learning-rate` must"),
        (["--data.dataset_name=nothing"], "nothing"),
    ],
)
def test_wrong_options_are_one_line_and_leave_nothing(tmp_path, fails, words, message):
    out = tmp_path / "new" / "mine.safetensors"
    assert message in fails("train-classifier", *words, "--out", out)
    assert not out.parent.exists()


def test_the_file_must_have_its_ending(tmp_path, fails):
    assert ".safetensors" in fails("train-classifier", "--preset=digits", "--out", tmp_path / "x")
