"""`pixelcnn classify` on files and on the run's own data."""

import numpy as np
import pytest
from PIL import Image

from pixelcnn.checkpoint import save
from pixelcnn.cli import main
from pixelcnn.models import PixelCNN
from tests.cli.tables import table


def test_the_bundled_model_classifies_digits(tmp_path, capsys):
    out = tmp_path / "classes"
    assert main(["classify", "digits", "--max-images", "40", "--out", str(out)]) == 0
    rows = table(out / "classes.csv")
    assert np.mean([row["label"] == row["predicted"] for row in rows]) > 0.9
    for row in rows:
        assert sum(float(row[f"p({n})"]) for n in range(10)) == pytest.approx(1, abs=1e-4)
    assert "accuracy" in capsys.readouterr().out
    with Image.open(out / "posterior.png") as picture:
        assert picture.width > 300


def test_files_need_no_label(model_file, tmp_path, capsys):
    Image.fromarray(np.zeros((6, 5), np.uint8)).save(tmp_path / "black.png")
    out = tmp_path / "classes"
    assert main(["classify", str(model_file), str(tmp_path / "black.png"), "--out", str(out)]) == 0
    (row,) = table(out / "classes.csv")
    assert row["label"] == "" and row["predicted"] in {"Ankle boot", "bag", "coat"}
    assert "mean probability" in capsys.readouterr().out


def test_a_model_without_labels_is_refused(tmp_path, fails):
    save(
        PixelCNN(num_residual_blocks=1, image_size=8, num_classes=2), tmp_path / "plain.safetensors"
    )
    assert "is conditioned on labels, and" in fails(
        "classify", tmp_path / "plain.safetensors", "--out", tmp_path / "o"
    )


def test_sub_folders_are_the_labels_where_the_model_knows_them(model_file, tmp_path, capsys):
    for name in ("Ankle boot", "bag", "coat"):
        (tmp_path / "images" / name).mkdir(parents=True)
        Image.fromarray(np.zeros((6, 5), np.uint8)).save(tmp_path / "images" / name / "black.png")
    out = tmp_path / "classes"
    assert main(["classify", str(model_file), str(tmp_path / "images"), "--out", str(out)]) == 0
    assert [row["label"] for row in table(out / "classes.csv")] == ["Ankle boot", "bag", "coat"]
    # Of three equal images one has the label that is found for all: Wilson's interval of 1 in 3.
    assert "accuracy 33.33 % (95 % interval 6.15 to 79.23)" in capsys.readouterr().out


def test_the_summary_describes_the_classified_images(model_file, tmp_path, capsys):
    for name, side in (("a", 5), ("b", 9)):
        Image.fromarray(np.zeros((6, side), np.uint8)).save(tmp_path / f"{name}.png")
    words = ["classify", str(model_file), str(tmp_path / "a.png"), str(tmp_path / "b.png")]
    assert main([*words, "--max-images", "1", "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out.splitlines()[0]
    assert said.startswith("1 image: the first of 2 images from ")
    assert "; 1 of them scaled and cropped to the model's 6×5 pixels, on which nats" in said
