"""`pixelcnn compare` from runs to a page."""

import json
import shutil

import pytest

from pixelcnn.cli import main
from pixelcnn.cli.commands.compare import check_alike, variant_of
from pixelcnn.config import load_config, read_config
from pixelcnn.data import load_data
from pixelcnn.errors import ConfigError
from pixelcnn.evaluation import evaluate
from pixelcnn.runs import open_model

LITTLE = ["--max-images", "20", "--num-generated", "70"]


@pytest.fixture(scope="module")
def report(run_folder, tmp_path_factory):
    """The report about a run and a bundled model."""
    out = tmp_path_factory.mktemp("compared") / "report"
    words = ["compare", f"tiny={run_folder}", "digits", *LITTLE, "--out", str(out)]
    assert main(words) == 0
    return out


def test_the_page_stands_with_text_pictures_and_figures(report):
    names = {path.name for path in report.iterdir()}
    pictures = {"curves.png", "samples.png", "labels.png", "bits-per-pixel.png", "completions.png"}
    assert {"report.html", "report.md", "report.json"} | pictures <= names
    assert [name for name in names if name.startswith(".")] == []


def test_metrics_are_those_of_evaluate(report, run_folder):
    results = json.loads((report / "report.json").read_text())
    tiny, bundled = results["variants"]
    assert (tiny["name"], bundled["name"]) == ("tiny", "digits")
    test = load_data("digits").test  # the first 20 of the first run's own at most 40 images
    config = load_config(run_folder / "config.yaml")
    assert config.data.max_samples == 40
    some = load_data("digits", max_samples=40).test
    found = evaluate(open_model("digits").model, some, max_samples=20)
    assert len(test) > 40
    assert bundled["nll_nats_conditional"] == pytest.approx(found["nll_nats"], abs=1e-4)
    assert tiny["label_accuracy"] < bundled["label_accuracy"] <= 1
    assert tiny["fid"] is None and "at least 65 images" in tiny["not_measured"]["fid"]
    (difference,) = results["differences"]
    assert difference["is_significant"]
    assert difference["nats"] == pytest.approx(bundled["nll_nats"] - tiny["nll_nats"])


def test_a_run_brings_its_history_settings_and_grids(run_folder):
    config = load_config(run_folder / "config.yaml")
    variant = variant_of("tiny", open_model(str(run_folder)), config)
    (entry,) = variant.history
    assert {"epoch", "train_nll", "val_nll"} <= entry.keys()
    assert read_config(variant.settings) == config
    assert variant.settings["data.max_samples"] == 40 and variant.settings["seed"] == 0


def test_a_damaged_sample_grid_is_refused_before_the_evaluation(run_folder, tmp_path, fails):
    run = tmp_path / "run"
    shutil.copytree(run_folder, run)
    (run / "samples").mkdir(exist_ok=True)
    (run / "samples" / "epoch-001.png").write_bytes(b"half")
    said = fails("compare", run, *LITTLE, "--out", tmp_path / "out")
    assert "epoch-001.png cannot be read as an image" in said and "drawing" not in said
    assert not (tmp_path / "out").exists()


def test_runs_of_different_files_are_not_alike(run_folder, tmp_path):
    run = open_model(str(run_folder))
    one, other = (
        load_config(None, ["--data.dataset_name=folder", f"--data.data_root={tmp_path / name}"])
        for name in "ab"
    )
    check_alike({"one": one, "twin": one}, {"one": run, "twin": run})
    with pytest.raises(ConfigError, match=r"`other` on folder:.*b"):
        check_alike({"one": one, "other": other}, {"one": run, "other": run})


def test_what_cannot_be_compared_is_refused_and_leaves_nothing(run_folder, fails, tmp_path):
    out = ["--out", tmp_path / "out"]
    alike = fails("compare", "digits", "mnist-256", *out)
    assert (
        "Models to compare must be trained on the same images" in alike
        and "mnist, binarization none" in alike
    )
    assert "different names" in fails("compare", run_folder, run_folder, *out)
    assert "written NAME=RUN, got `x=`" in fails("compare", "x=", *out)
    assert "There is no `nowhere`" in fails("compare", "digits", "nowhere", *out)
    assert "needs `--features" in fails(
        "compare", "digits", "--features", "inception", "--classifier", "digits", *out
    )
    assert not (tmp_path / "out").exists()
