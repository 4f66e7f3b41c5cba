"""`pixelcnn score --against`, and labels of other images."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from pixelcnn.cli import main
from pixelcnn.cli.scoring.ood import meaning
from pixelcnn.data import load_data
from pixelcnn.evaluation import Auc, detect_ood
from pixelcnn.inference import score_unconditionally
from pixelcnn.runs import load
from tests.cli.tables import table


@pytest.fixture
def clothes(tmp_path):
    """A data set in the form of the digits, of other things."""
    x = torch.randint(17, (40, 1, 8, 8), generator=torch.Generator().manual_seed(0)).numpy()
    y = np.arange(40) % 2
    path = tmp_path / "clothes.npz"
    np.savez(
        path, x_train=x, y_train=y, x_test=x[:12], y_test=y[:12], levels=17, layout="NCHW",
        label_names=np.array(["shirt", "shoe"]),
    )  # fmt: skip
    return path


def test_areas_scores_and_a_figure_are_written(run_folder, clothes, tmp_path, capsys):
    out = tmp_path / "out"
    words = ["score", run_folder, "--against", f"npz:{clothes}", "--max-images", 10]
    assert main([*map(str, words), "--background", "digits", "--out", str(out)]) == 0
    metrics = json.loads((out / "ood.json").read_text())
    model = load(run_folder / "model.safetensors")
    inliers = load_data("digits", max_samples=40).test.images[:10].long()
    outliers = load_data(f"npz:{clothes}").test.images[:10].long()
    expected = detect_ood(model, inliers, outliers, background=load("digits"))
    assert metrics["roc_auc"] == expected.as_dict()
    rows = table(out / "ood.csv")
    assert [row["kind"] for row in rows] == ["inlier"] * 10 + ["outlier"] * 10
    assert float(rows[12]["likelihood_ratio_bits"]) == pytest.approx(
        expected.outliers["likelihood_ratio"][2].item(), abs=1e-3
    )
    with Image.open(out / "ood.png") as picture:
        assert picture.width > 400
    said = capsys.readouterr().out
    assert "outliers: 10 images: " in said and meaning(expected.auc["likelihood"]) in said


def test_images_without_labels_are_scored_by_a_model_of_labels(tmp_path, capsys):
    x = torch.randint(17, (30, 1, 8, 8), generator=torch.Generator().manual_seed(0)).numpy()
    path = tmp_path / "noise.npz"
    np.savez(path, x_train=x, x_test=x[:9], levels=17, layout="NCHW")
    words = ["score", "digits", "--against", f"npz:{path}", "--max-images", 9]
    assert main([*map(str, words), "--out", str(tmp_path / "out")]) == 0
    assert "outliers: 9 images: " in capsys.readouterr().out
    words = ["classify", "digits", "--data.dataset_name", f"npz:{path}", "--out", tmp_path / "c"]
    assert main([*map(str, words)]) == 0
    assert "mean probability of the predicted label" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("auc", "said"),
    [
        (Auc(0.9, 0.05), "Likelihood detects these"),
        (Auc(0.1, 0.05), "Likelihood fails here"),
        (Auc(0.5, 0.0), "beyond chance"),
        (Auc(0.41, 0.05), "beyond chance"),
        (Auc(1.0, None), "beyond chance"),
    ],
)
def test_what_an_area_means_depends_on_its_error(auc, said):
    assert said in meaning(auc)


def test_files_of_levels_are_scored(run_folder, tmp_path, capsys):
    sampled = tmp_path / "sampled.npz"
    assert (
        main(["sample", "digits", "--num-samples", "5", "--label", "3", "--out", str(sampled)]) == 0
    )
    words = ["score", run_folder, "--against", sampled, "--max-images", 4, "--out", tmp_path / "o"]
    assert main([str(word) for word in words]) == 0
    said = capsys.readouterr().out
    assert "outliers: 4 images" in said and "needs --background RUN" in said


@pytest.mark.parametrize("prefix", ["", "folder:"])
def test_all_images_of_a_folder_without_splits_are_scored(run_folder, tmp_path, capsys, prefix):
    (tmp_path / "scratch").mkdir()
    for number in range(12):
        x = np.random.default_rng(number).integers(256, size=(8, 8), dtype=np.uint8)
        Image.fromarray(x).save(tmp_path / "scratch" / f"{number}.png")
    words = ["score", run_folder, "--against", f"{prefix}{tmp_path / 'scratch'}"]
    words += ["--max-images", 20, "--out", tmp_path / "o"]
    assert main([str(word) for word in words]) == 0
    assert "outliers: 12 images" in capsys.readouterr().out


def test_bits_of_image_files_can_be_stated(fails, tmp_path, capsys):
    Image.fromarray(np.arange(64, dtype=np.uint16).reshape(8, 8)).save(tmp_path / "deep.png")
    words = ["score", "digits", tmp_path / "deep.png", "--label", "3", "--out", tmp_path / "o"]
    assert "deep.png uses 6 bits, levels 0 to 63, of 16" in fails(*words)
    assert main([*map(str, words), "--data.bits=6"]) == 0
    assert main([*map(str, words), "--data.bits", "6"]) == 0
    assert "p(x | label) of 1 image" in capsys.readouterr().out
    assert "files or a split" in fails(*words, "--data.levels=17")


def test_wrong_inputs_are_refused_in_one_line(run_folder, model_file, clothes, fails, tmp_path):
    out = ["--out", tmp_path / "out"]
    against = ["score", run_folder, "--against", f"npz:{clothes}"]
    assert "must have 17 levels" in fails(*against, "--background", model_file, *out)
    assert "leave out --animation" in fails(*against, "--animation", *out)
    assert "leave out --animation" in fails(*against, "--label", "3", *out)
    assert "`--background` needs `--against DATA`" in fails(
        "score", run_folder, "--background", "digits", *out
    )
    assert "`--against` must be a data set (digits, " in fails(
        "score", run_folder, "--against", tmp_path / "nowhere", *out
    )
    assert not (tmp_path / "out").exists()


def test_foreign_labels_are_not_conditioned_on(run_folder, clothes, fails, tmp_path, capsys):
    images = [f"--data.dataset_name=npz:{clothes}"]
    out = tmp_path / "out"
    assert main(["score", str(run_folder), *images, "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "p(x) of 12 images" in said
    assert "not conditioned on labels, since the labels of the images (shirt, shoe) are not" in said
    rows = {row["image"]: row for row in table(out / "scores.csv")}
    x = load_data(f"npz:{clothes}").test.images.long()
    nats = score_unconditionally(load(run_folder / "model.safetensors"), x).nats
    assert float(rows["test-3"]["nats"]) == pytest.approx(nats[3].item(), abs=1e-3)
    assert rows["test-3"]["label"] == ""
    assert main(["score", str(run_folder), *images, "--label", "3", "--out", str(out)]) == 0
    assert "not conditioned on labels" not in capsys.readouterr().out
    refused = fails("complete", run_folder, *images, "--out", tmp_path / "other")
    assert "must be conditioned on a label, but the labels of the images" in refused
    assert "`pixelcnn score` sums over its labels" in fails("evaluate", run_folder, *images)
