"""The evaluation classifier and its file."""

import json

import pytest
import torch
from safetensors.torch import save_file

from pixelcnn.errors import CheckpointError, ConfigError, ShapeError
from pixelcnn.metrics import ImageClassifier, load_classifier, save_classifier
from pixelcnn.spec import ImageSpec
from pixelcnn.weights import CLASSIFIERS, FOLDER, find_classifier

SPEC = ImageSpec(3, 5, 9, 4)


@pytest.fixture
def network() -> ImageClassifier:
    torch.manual_seed(0)
    network = ImageClassifier(SPEC, 3, width=4, num_features=6, labels=["a", "b", "c"])
    for name, buffer in network.named_buffers():
        if name.endswith("running_mean"):
            torch.nn.init.uniform_(buffer, -0.1, 0.1)
        elif name.endswith("running_var"):
            torch.nn.init.uniform_(buffer, 0.02, 0.1)  # what the layers above give
    return network


@pytest.mark.parametrize("size", [(1, 1), (2, 7), (28, 28), (40, 33)])
def test_images_of_any_size_can_be_classified(size):
    network = ImageClassifier(ImageSpec(1, *size, 2), 3, width=2)
    features, logits = network.eval()(torch.zeros(2, 1, *size).long())
    assert (features.shape, logits.shape) == ((2, 64), (2, 3))
    assert (features >= 0).all()


def test_predictions_are_those_of_eval_mode_whatever_the_batches(network):
    x = torch.randint(4, (11, *SPEC.shape), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        network.out.bias -= network.eval()(x)[1].mean(0)  # else all images would be of one class
    expected = network(x)[1].argmax(1)
    assert len(expected.unique()) > 1
    network.train()
    assert torch.equal(network.predict(x, batch_size=3), expected)
    assert network.training
    with pytest.raises(ShapeError, match=r"\(B, 3, 5, 9\)"):
        network.predict(x[..., 1:])
    with pytest.raises(ShapeError, match=r"levels in \[0, 4\)"):
        network.predict(x + 4)


def test_a_file_brings_the_same_classifier_back(network, tmp_path):
    save_classifier(network, tmp_path / "mine.safetensors", training={"test_accuracy": 0.5})
    found = load_classifier(tmp_path / "mine.safetensors")
    assert (found.name, found.training) == ("mine", {"test_accuracy": 0.5})
    assert (found.network.spec, found.network.labels) == (SPEC, ("a", "b", "c"))
    x = torch.randint(4, (3, *SPEC.shape))
    assert torch.equal(found.network(x)[1], network.eval()(x)[1])


def test_a_file_of_something_else_is_refused(network, tmp_path):
    with pytest.raises(CheckpointError, match=r"is missing.*Bundled classifiers: digits"):
        load_classifier(tmp_path / "nothing")
    with pytest.raises(CheckpointError, match="format 'pixelcnn-classifier/1', got 'pixelcnn/1'"):
        load_classifier(FOLDER / "digits.safetensors")
    (tmp_path / "text").write_text("no tensors")
    with pytest.raises(CheckpointError, match="no safetensors file"):
        load_classifier(tmp_path / "text")
    card = {"config": "{}", "spec": json.dumps(SPEC.as_dict()), "labels": "null", "training": "{}"}
    save_file({}, tmp_path / "empty", metadata={"format": "pixelcnn-classifier/1", **card})
    with pytest.raises(CheckpointError, match="no classifier that can be read"):
        load_classifier(tmp_path / "empty")


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(ConfigError, match="at least 1"):
        ImageClassifier(SPEC, 3, width=0)
    with pytest.raises(ConfigError, match="the 3 classes, got 2 names"):
        ImageClassifier(SPEC, 3, labels=["a", "b"])


def test_a_path_that_exists_wins_over_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_classifier("digits") == CLASSIFIERS / "digits.safetensors"
    (tmp_path / "digits").write_text("mine")
    assert str(find_classifier("digits")) == "digits"
