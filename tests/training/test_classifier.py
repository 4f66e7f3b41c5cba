"""Facts about training the evaluation classifier."""

import pytest
import torch

from pixelcnn.data import load_data
from pixelcnn.errors import ConfigError
from pixelcnn.training.classifier import ClassifierSettings, train_classifier

SHORT = ClassifierSettings(epochs=8, width=8, num_features=16)


@pytest.fixture(scope="module")
def data():
    return load_data("digits", max_samples=400)


def test_it_learns_the_labels_of_the_digits(data):
    steps = []
    result = train_classifier(data, SHORT, progress=lambda *step: steps.append(step))
    assert result.losses[-1] < 0.7 * result.losses[0]
    assert result.test_accuracy > 0.6  # by chance 0.1
    predicted = result.network.predict(data.test.images.long())
    right = (predicted == data.test.labels).double().mean().item()
    assert result.test_accuracy == pytest.approx(right)
    assert result.network.labels == data.label_names
    assert steps[-1] == (48, 48)


def test_the_seed_decides_the_weights_and_leaves_global_randomness_alone(data):
    torch.manual_seed(7)
    settings = ClassifierSettings(epochs=1, width=2)
    one, two = (train_classifier(data, settings).network.state_dict() for _ in range(2))
    assert all(torch.equal(one[name], two[name]) for name in one)
    after = torch.rand(1)
    torch.manual_seed(7)
    assert torch.equal(after, torch.rand(1))


def test_what_cannot_be_trained_is_refused(data):
    from dataclasses import replace

    unlabelled = replace(data, label_names=None)
    with pytest.raises(ConfigError, match="needs images with labels"):
        train_classifier(unlabelled)
    with pytest.raises(ConfigError, match="`epochs` must be at least 1"):
        ClassifierSettings(epochs=0)
    with pytest.raises(ConfigError, match="learning_rate"):
        ClassifierSettings(learning_rate=3)
