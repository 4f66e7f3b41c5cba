"""`pixelcnn evaluate` scores a run again, on its own images or on others."""

import json
import math
import re
from pathlib import Path

import pytest

from pixelcnn.cli import main
from pixelcnn.metrics import ImageClassifier, save_classifier
from pixelcnn.spec import ImageSpec
from tests.metrics.made import save_squeezenet


def evaluated(run, capsys, *words) -> dict:
    assert main(["evaluate", str(run), "--device=cpu", *words]) == 0
    return json.loads(Path(capsys.readouterr().out.splitlines()[-1]).read_text())


def test_the_metrics_of_the_training_are_reproduced(run_folder, capsys, tmp_path):
    then = json.loads((run_folder / "metrics.json").read_text())
    now = evaluated(run_folder, capsys, "--out", str(tmp_path / "again.json"))
    for key in ("nll_nats", "bits_per_dim", "num_images", "protocol", "fingerprint", "split"):
        assert now[key] == then[key], key


@pytest.mark.parametrize("split", ["val", "test"])
def test_what_the_training_reported_stays_as_it_was(run_folder, capsys, split):
    before = (run_folder / "metrics.json").read_bytes()
    assert evaluated(run_folder, capsys, f"--split={split}")["split"] == split
    assert (run_folder / f"metrics-{split}.json").is_file()
    assert (run_folder / "metrics.json").read_bytes() == before


def test_a_lone_model_file_is_scored_on_named_images(run_folder, capsys, tmp_path):
    lone = tmp_path / "lone.safetensors"
    lone.write_bytes((run_folder / "model.safetensors").read_bytes())
    words = ["--data.dataset_name", "digits", "--evaluation.max_samples=5"]
    out = tmp_path / "m.json"
    assert evaluated(lone, capsys, *words, "--out", str(out))["num_images"] == 5
    assert main(["evaluate", str(lone), *words]) == 0
    assert "5 images" in capsys.readouterr().out


def test_the_state_of_a_training_is_scored(run_folder, capsys, tmp_path):
    state = run_folder / "checkpoints" / "best.ckpt"
    best = evaluated(state, capsys, "--out", str(tmp_path / "m.json"))
    assert best["nll_nats"] == json.loads((run_folder / "metrics.json").read_text())["nll_nats"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--data.levels=2"], "17 levels in 1 channel, got 2 levels in 1"),
        (["--data.max_sample=2"], "data.max_samples"),
        (["--config=missing.yaml"], "missing.yaml"),
    ],
)
def test_what_does_not_fit_is_one_line(run_folder, fails, words, message):
    assert message in fails("evaluate", run_folder, *words)


def test_a_lone_model_file_needs_images(model_file, fails):
    assert "Choose the images by --config" in fails("evaluate", model_file)


def test_a_bundled_model_is_evaluated_on_its_own_images(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", "digits", "--device=cpu", "--evaluation.max_samples=5"]) == 0
    assert "over 5 images of: digits, 17 levels" in capsys.readouterr().out
    assert main(["evaluate", "digits", "--device=cpu", "--data.max_samples=7"]) == 0
    assert "over 7 images of: digits, 17 levels" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_samples_are_measured_by_the_classifier_of_the_same_images(capsys, tmp_path):
    words = ["--features=classifier", "--num-generated=70", "--evaluation.max_samples=80"]
    out = tmp_path / "m.json"
    assert main(["evaluate", "digits", "--device=cpu", *words, "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "70 samples compared with 80 real images, seed 0, by classifier digits:" in said
    assert "not measured: inception score – needs at least 100 samples" in said
    assert "not measured: lpips diversity, perceptual distance – LPIPS was not requested" in said
    assert "closer than a test image with probability 0." in said
    assert re.search(r"near copies: \d+\.\d % \(of test images 1 %\); exact copies: \d", said)
    found = json.loads(out.read_text())
    assert found["fid"] > 0
    assert found["samples_protocol"]["features"] == "classifier digits"
    assert found["samples_protocol"]["num_train"] == 1298


def test_metrics_are_printed_with_their_intervals(capsys):
    words = ["evaluate", "digits", "--device=cpu"]
    assert main([*words, "--evaluation.max_samples=5"]) == 0
    nll, about, brackets, unsaved = capsys.readouterr().out.splitlines()
    assert "`--out FILE`" in unsaved
    intervals = re.findall(r"(\d+\.\d+) \[(\d+\.\d+), (\d+\.\d+)\]", nll)
    assert len(intervals) == 3
    for figure, low, high in intervals:
        assert float(low) < float(figure) < float(high)
    assert brackets == "in brackets: 95 % bootstrap intervals over images"
    assert main([*words, "--evaluation.max_samples=1"]) == 0
    nll, about, _ = capsys.readouterr().out.splitlines()
    assert "[" not in nll and about.startswith("over 1 image of: ")


def test_a_classifier_of_other_labels_is_refused(fails, tmp_path):
    network = ImageClassifier(ImageSpec(1, 8, 8, 17), 2, width=2, labels=["cat", "dog"])
    save_classifier(network, tmp_path / "animals.safetensors")
    words = ["--features=classifier", f"--classifier={tmp_path / 'animals.safetensors'}"]
    for command in ("evaluate", "compare"):
        said = fails(command, "digits", "--device=cpu", *words, "--out", tmp_path / "new" / "m")
        assert "animals has cat, dog; the images have 0, 1, 2 and 7 more. Train one" in said
    assert not (tmp_path / "new").exists()


def test_training_images_are_not_compared_with_themselves(capsys, tmp_path):
    words = ["--split=train", "--num-generated=5", "--evaluation.max_samples=5"]
    out = tmp_path / "m.json"
    assert main(["evaluate", "digits", "--device=cpu", *words, "--out", str(out)]) == 0
    assert json.loads(out.read_text())["nearest_training_distance"] is None


def test_weights_of_networks_are_read_from_files(capsys, tmp_path):
    weights = save_squeezenet(tmp_path / "squeezenet.pth")
    words = ["--lpips=squeeze", f"--lpips-weights={weights}", "--num-generated=4"]
    out = tmp_path / "m.json"
    words += ["--evaluation.max_samples=5", "--out", str(out)]
    assert main(["evaluate", "digits", "--device=cpu", *words]) == 0
    found = json.loads(out.read_text())
    assert found["lpips_diversity"] > 0
    assert found["samples_protocol"]["lpips_weights"].startswith("squeezenet.pth, sha256 ")
    assert found["samples_protocol"]["features"] == "classifier digits"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--classifier=digits"], "`--classifier` needs `--features classifier`"),
        (["--features=inception", "--classifier=digits"], "needs `--features classifier`"),
        (["--inception-weights=x"], "`--inception-weights` needs `--features inception`"),
        (["--lpips-weights=x"], "`--lpips-weights` needs `--lpips`"),
        (["--features=inception", "--inception-weights=missing.pth"], "missing.pth is missing"),
        (["--features=classifier", "--classifier=missing"], "missing must be a classifier"),
        (
            ["--features=classifier", "--data.image_size=4"],
            "No bundled classifier was trained on digits in this form. Train one",
        ),
    ],
)
def test_missing_networks_are_refused_in_one_line(fails, words, message):
    assert message in fails("evaluate", "digits", "--device=cpu", *words)


def test_labels_are_summed_out_where_asked(capsys, tmp_path):
    out = tmp_path / "m.json"
    words = ["--evaluation.max_samples=5", "--sum-labels", "--out", str(out)]
    assert main(["evaluate", "digits", "--device=cpu", *words]) == 0
    found = json.loads(out.read_text())
    assert found["density_without_label"] == "labels summed out"
    # p(x) is at least a tenth of p(x | label) if all labels are equally probable.
    assert found["nll_nats_without_label"] < found["nll_nats"] + math.log(10)
    assert "\np(x), labels summed out: " in capsys.readouterr().out
