"""`pixelcnn score` on files, folders, levels and the run's own data."""

import numpy as np
import pytest
import torch
from PIL import Image

from pixelcnn.checkpoint import save
from pixelcnn.cli import main
from pixelcnn.inference import score
from pixelcnn.models import PixelCNN
from pixelcnn.runs import load
from tests.cli.tables import table


@pytest.fixture
def grey_model(tmp_path):
    """A model of 256 levels and no labels."""
    model = PixelCNN(hidden_channels=4, num_residual_blocks=1, num_classes=256, image_size=(6, 5))
    save(model, tmp_path / "grey.safetensors")
    return tmp_path / "grey.safetensors"


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    generator = np.random.default_rng(0)
    for name in ("b", "a", "c"):
        pixels = generator.integers(256, size=(6, 5), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{name}.png")
    return folder


def test_files_are_scored_and_the_most_surprising_come_first(grey_model, pictures, tmp_path):
    out = tmp_path / "scores"
    assert main(["score", str(grey_model), str(pictures), "--out", str(out)]) == 0
    rows = table(out / "scores.csv")
    nats = [float(row["nats"]) for row in rows]
    assert nats == sorted(nats, reverse=True) and len(nats) == 3
    pixels = torch.from_numpy(np.array(Image.open(rows[0]["image"])))[None, None].long()
    assert nats[0] == pytest.approx(score(load(grey_model), pixels).nats.item(), abs=1e-3)
    with Image.open(out / "surprise.png") as picture:
        assert picture.width > 100


def test_levels_are_rounded_to_those_of_the_model(model_file, pictures, tmp_path):
    out = tmp_path / "scores"
    words = ["score", str(model_file), str(pictures / "a.png"), "--label", "bag"]
    assert main([*words, "--out", str(out)]) == 0
    (row,) = table(out / "scores.csv")
    assert row["label"] == "bag"
    pixels = torch.from_numpy(np.array(Image.open(pictures / "a.png")))
    x = (pixels.double() * 3 / 255).round().long()[None, None]
    assert float(row["nats"]) == pytest.approx(score(load(model_file), x, 1).nats.item(), abs=1e-3)


def test_sampled_levels_are_scored_with_their_labels(model_file, tmp_path):
    sampled, out = tmp_path / "sampled.npz", tmp_path / "scores"
    assert main(["sample", str(model_file), "--per-label", "2", "--out", str(sampled)]) == 0
    assert main(["score", str(model_file), str(sampled), "--out", str(out)]) == 0
    rows = table(out / "scores.csv")
    assert sorted(row["label"] for row in rows) == sorted(["Ankle boot", "bag", "coat"] * 2)


def test_without_files_the_runs_own_test_images_are_scored(run_folder, tmp_path, capsys):
    out = tmp_path / "scores"
    words = ["score", str(run_folder), "--max-images", "10", "--out", str(out)]
    assert main(words) == 0
    assert len(table(out / "scores.csv")) == 10
    said = capsys.readouterr().out
    assert "digits, 17 levels" in said and "nats per image" in said
    assert "the first 10 of " in said and " test images" in said


def test_what_cannot_be_scored_is_said_in_one_line(
    model_file, grey_model, pictures, fails, tmp_path
):
    out = tmp_path / "scores"

    def refused(*words):
        return fails("score", *words, "--out", out)

    (tmp_path / "text.png").write_text("no image")
    np.savez(tmp_path / "other.npz", y=np.zeros(3))
    np.savez(tmp_path / "few.npz", x=np.zeros((1, 1, 6, 5), np.uint8), levels=4)
    assert "--label NAME" in refused(model_file, pictures)
    assert "a picture.png" in refused(grey_model, tmp_path / "a picture.png")
    assert "cannot be read as an image" in refused(grey_model, tmp_path / "text.png")
    assert "got both" in refused(grey_model, pictures, "--split", "val")
    assert "must hold `x`" in refused(grey_model, tmp_path / "other.npz")
    assert "256 levels like the model, got 4" in refused(grey_model, tmp_path / "few.npz")
    x = np.zeros((3, 1, 6, 5), np.uint8)
    x[1:, 0, 2, 3] = 9, 7
    np.savez(tmp_path / "wrong.npz", x=x)
    line = refused(model_file, tmp_path / "wrong.npz", "--label", "bag")
    assert "wrong.npz must hold levels from 0 to 3, and 2 of 3 images hold others: " in line
    assert "image 1 (from 0) has levels from 0 to 9" in line
    np.savez(tmp_path / "rgb.npz", x=np.zeros((1, 3, 6, 5), np.uint8))
    assert "1 channel like the model, got 3" in refused(grey_model, tmp_path / "rgb.npz")
    assert not out.exists()


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"labels": np.array([0, 99])}, "labels from 0 to 2, as the model has them, got values"),
        ({"labels": np.array([-1, 0])}, "got values from -1 to 0"),
        ({"labels": np.array([0.0, 1.0])}, "one integer per image, shape (2,), got float64"),
        ({"labels": np.array([0.0, np.nan])}, "got float64"),
        ({"labels": np.array(["bag", "coat"])}, "got <U4"),
        ({"labels": np.array([[0, 1], [1, 2]])}, "of shape (2, 2)"),
        ({"labels": np.array([0])}, "of shape (1,)"),
        ({"levels": np.array([4, 4])}, "`levels` of "),
        ({"levels": "four"}, "one whole number from 2 to "),
        ({"levels": 4.5}, "got 4.5"),
    ],
)
@pytest.mark.parametrize("command", ["score", "classify"])
def test_labels_and_levels_of_a_file_are_checked(
    command, arrays, message, model_file, fails, tmp_path
):
    np.savez(tmp_path / "two.npz", x=np.zeros((2, 1, 6, 5), np.uint8), **arrays)
    out = tmp_path / "out"
    assert message in fails(command, model_file, tmp_path / "two.npz", "--out", out)
    assert not out.exists()


def test_what_is_typed_is_one_for_all_images_or_one_for_each(model_file, fails, tmp_path):
    np.savez(tmp_path / "three.npz", x=np.zeros((3, 1, 6, 5), np.uint8))
    words = ["score", model_file, tmp_path / "three.npz", "--out", tmp_path / "out"]
    for labels in ("bag,coat", "bag,coat,bag,coat"):
        count = labels.count(",") + 1
        assert f"`--label` must be 1 or 3, one for all images or one for each, got {count}" in (
            fails(*words, "--label", labels)
        )
    assert main([*map(str, words), "--label", "bag,coat,bag"]) == 0
    labels = {row["image"]: row["label"] for row in table(tmp_path / "out" / "scores.csv")}
    assert labels == {"three-0": "bag", "three-1": "coat", "three-2": "bag"}


def test_attributes_and_maps_are_one_for_all_images_or_one_for_each(fails, tmp_path):
    np.savez(tmp_path / "three.npz", x=np.zeros((3, 1, 6, 5), np.uint8))
    np.save(tmp_path / "two.npy", np.zeros((2, 1, 6, 5)))
    np.save(tmp_path / "small.npy", np.zeros((1, 1, 5, 5)))
    typed = {
        "num_attributes": (["--attributes=0", "--attributes=1"], "`--attributes` must be 1 or 3, "),
        "num_map_channels": (["--maps", tmp_path / "two.npy"], "`--maps` must be 1 or 3, "),
    }
    for option, (words, message) in typed.items():
        model = PixelCNN(hidden_channels=4, num_residual_blocks=1, num_classes=4, **{option: 1})
        save(model, tmp_path / "model.safetensors")
        command = ["score", tmp_path / "model.safetensors", tmp_path / "three.npz"]
        assert message in fails(*command, *words, "--out", tmp_path / "out")
    small = ["--maps", tmp_path / "small.npy", "--out", tmp_path / "out"]
    assert "`--maps` must be as large as the images, 6×5 pixels, got 5×5" in fails(*command, *small)


def test_sub_folders_called_as_labels_are_the_condition(
    model_file, pictures, fails, tmp_path, capsys
):
    for name, label in (("a", "coat"), ("b", "bag"), ("c", "coat")):
        (pictures / label).mkdir(exist_ok=True)
        (pictures / f"{name}.png").rename(pictures / label / f"{name}.png")
    out = tmp_path / "scores"
    assert main(["score", str(model_file), str(pictures), "--out", str(out)]) == 0
    assert sorted(row["label"] for row in table(out / "scores.csv")) == ["bag", "coat", "coat"]
    for row in table(out / "scores.csv"):
        assert f"/{row['label']}/" in row["image"]
    capsys.readouterr()
    (pictures / "bag").rename(pictures / "unheard of")
    assert "--label NAME" in fails("score", model_file, pictures, "--out", tmp_path / "other")


def test_one_image_has_no_standard_error(grey_model, pictures, tmp_path, capsys):
    for files, sign in ([pictures], True), ([pictures / "a.png"], False):
        words = ["score", grey_model, *files, "--out", tmp_path / "out"]
        assert main([str(word) for word in words]) == 0
        said = capsys.readouterr().out
        assert ("±" in said) is sign
        assert ("p(x) of 1 image: 1 image from" in said) is not sign


def test_a_model_that_gives_no_numbers_is_refused(pictures, fails, tmp_path):
    model = PixelCNN(hidden_channels=4, num_residual_blocks=1, num_classes=4, image_size=(6, 5))
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(0, 1e30, generator=torch.Generator().manual_seed(0))
    save(model, tmp_path / "huge.safetensors")
    out = tmp_path / "scores"
    assert "got NaN for" in fails("score", tmp_path / "huge.safetensors", pictures, "--out", out)
    assert not out.exists()


def test_the_expectation_is_shown_after_each_pixel(grey_model, pictures, tmp_path, capsys):
    out = tmp_path / "scores"
    assert main(["score", str(grey_model), str(pictures), "--animation", "--out", str(out)]) == 0
    assert "expectation.gif" in capsys.readouterr().out
    with Image.open(out / "expectation.gif") as animation:
        assert animation.n_frames > 2 and animation.width >= 400
    with Image.open(out / "expectation.png") as strip:
        last = np.asarray(strip)[:, -(strip.width // 15) :]
        assert (last[..., 0] == last[..., 1]).all()  # in the end all is known, and grey
