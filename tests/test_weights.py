"""Every model that comes with the package loads, is small, and is as good as its card says."""

import os
from pathlib import Path

import pytest

import pixelcnn
from pixelcnn.checkpoint import read_card
from pixelcnn.config import preset_names, read_config
from pixelcnn.config.images import load_images
from pixelcnn.data import DataSplits
from pixelcnn.errors import CheckpointError
from pixelcnn.evaluation import evaluate
from pixelcnn.metrics import load_classifier
from pixelcnn.runs import load
from pixelcnn.training.classifier import accuracy_on
from pixelcnn.verification import read_report, report_path
from pixelcnn.weights import CLASSIFIERS, FOLDER, find_weights, list_classifiers, list_weights
from scripts.bundle import MAX_BYTES, METRICS, RECIPES

MADE_BY_TRAINING = {"dataset", "protocol", "seed", "epochs", "best_epoch", "seconds", "versions"}
MADE_BY_PACKING = {"recipe", "command", "data", "figures"}


def images_of(name: str) -> DataSplits:
    """The images that the card names, where they can be had without a network."""
    data = read_card(name)["training"]["data"]
    folder = os.environ.get("PIXELCNN_DATA")
    if data["dataset_name"] != "digits" and not (folder and Path(folder).is_dir()):
        pytest.skip("needs the real images: set PIXELCNN_DATA to their folder")
    return load_images(read_config({f"data.{key}": value for key, value in data.items()}))


def test_the_digits_come_along():
    assert "digits" in pixelcnn.list_weights() == list_weights()


def test_every_model_has_a_recipe():
    assert set(list_weights()) <= set(RECIPES)
    assert set(RECIPES.values()) <= set(preset_names())


@pytest.mark.parametrize("name", list_weights())
def test_a_model_loads_by_its_name_and_samples_with_a_label(name):
    model = pixelcnn.load(name)
    assert not model.training
    assert model.num_labels == len(read_card(name)["labels"])
    drawn = model.generate((model.in_channels, 3, 3), num_samples=2, cond=1)
    assert drawn.shape == (2, model.in_channels, 3, 3)


@pytest.mark.parametrize("name", list_weights())
def test_a_model_is_small(name):
    assert (FOLDER / f"{name}.safetensors").stat().st_size <= MAX_BYTES


@pytest.mark.parametrize("name", list_weights())
def test_a_card_says_how_good_its_model_is_and_where_it_comes_from(name):
    training = read_card(name)["training"]
    assert set(training) >= MADE_BY_TRAINING | MADE_BY_PACKING
    figures = training["figures"]
    assert set(figures) >= {"split", "protocol", "num_images", "num_dims", *METRICS}
    assert figures["split"] == "test"
    assert figures["protocol"].endswith("; p(x | label)")
    if load(name).condition.is_optional:
        assert set(figures) >= {f"{figure}_without_label" for figure in METRICS}
    assert training["recipe"] == RECIPES[name] in preset_names()
    assert training["command"].startswith(f"pixelcnn train --preset {RECIPES[name]}")
    assert training["seconds"] > 0


@pytest.mark.parametrize("name", list_weights())
def test_the_first_test_images_score_as_the_card_says(name):
    figures = read_card(name)["training"]["figures"]
    measured = evaluate(load(name), images_of(name).test, max_samples=figures["num_first"])
    assert measured["nll_nats"] == pytest.approx(figures["nll_nats_of_first"], rel=1e-4)


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[] if n == "digits" else pytest.mark.slow) for n in list_weights()],
)
def test_the_whole_test_set_scores_as_the_card_says(name):
    figures = read_card(name)["training"]["figures"]
    measured = evaluate(load(name), images_of(name).test)
    assert measured["num_images"] == figures["num_images"]
    for figure in figures.keys() & measured.keys():
        assert measured[figure] == pytest.approx(figures[figure], rel=1e-4), figure


def test_a_path_that_exists_wins_over_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_weights("digits") == FOLDER / "digits.safetensors"
    Path("digits").mkdir()
    assert find_weights("digits") == Path("digits")
    with pytest.raises(CheckpointError, match="hides the bundled model"):
        load("digits")


def test_only_the_plain_name_is_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_weights("./digits") == Path("digits")
    assert find_weights("") == Path()


def test_an_unknown_name_is_an_error_with_the_known_ones(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match=r"Bundled models: .*digits"):
        load("digit")


@pytest.mark.parametrize("name", list_weights())
def test_the_verification_report_of_a_bundled_model_is_of_its_weights_and_passes(name):
    report = read_report(report_path(FOLDER / f"{name}.safetensors"))
    assert report.is_of(load(name)), f"make it again: pixelcnn verify {FOLDER / name}.safetensors"
    assert report.passed


# What each classifier must reach on its test images, and how large its file may be.
LEAST_ACCURACY = {"digits": 0.95, "mnist-256": 0.985, "mnist-binary": 0.985}
MAX_CLASSIFIER_BYTES = 500_000


def test_the_classifiers_that_come_along_are_those_of_the_models():
    assert set(list_classifiers()) == set(LEAST_ACCURACY) == set(list_weights())


@pytest.mark.parametrize("name", list_classifiers())
def test_a_classifier_is_small_and_says_how_good_it_is(name):
    assert (CLASSIFIERS / f"{name}.safetensors").stat().st_size <= MAX_CLASSIFIER_BYTES
    classifier = load_classifier(name)
    training = classifier.training
    assert training["test_accuracy"] >= LEAST_ACCURACY[name]
    assert training["command"].startswith("pixelcnn train-classifier --data.dataset_name ")
    assert training["data"].keys() == {"dataset_name", "binarization"}
    assert classifier.network.spec == load(name).spec
    assert classifier.network.labels == tuple(read_card(name)["labels"])


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[] if n == "digits" else pytest.mark.slow) for n in list_classifiers()],
)
def test_a_classifier_is_as_good_as_it_says(name):
    classifier = load_classifier(name)
    accuracy = accuracy_on(classifier.network, images_of(name).test)
    assert accuracy == pytest.approx(classifier.training["test_accuracy"], abs=2e-4)
