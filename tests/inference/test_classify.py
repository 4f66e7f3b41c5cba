"""The posterior of a label is Bayes' rule, at every pixel."""

import pytest
import torch

from pixelcnn.data import load_data
from pixelcnn.errors import ConfigError, ShapeError
from pixelcnn.inference import classify, score
from pixelcnn.models import PixelCNN
from pixelcnn.runs import load


@pytest.fixture
def model():
    model = PixelCNN(num_residual_blocks=1, hidden_channels=6, num_classes=3, num_labels=4)
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.4)
    return model.double()


@pytest.fixture
def images():
    return torch.randint(3, (5, 1, 3, 4))


def test_the_posterior_is_bayes_rule(model, images):
    prior = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)
    joint = torch.stack([-score(model, images, y).nats for y in range(4)], 1).exp() * prior
    found = classify(model, images, prior=prior, batch_size=2)
    assert torch.allclose(found.probabilities, joint / joint.sum(1, keepdim=True))
    assert torch.allclose(found.log_prob, joint.sum(1).log())
    assert torch.equal(found.predicted, joint.argmax(1))


def test_belief_begins_with_the_prior_and_ends_with_the_posterior(model, images):
    prior = [0.1, 0.2, 0.3, 0.4]
    found = classify(model, images, prior=prior, by_pixel=True, batch_size=2)
    assert found.by_pixel.shape == (5, 1 + 12, 4)
    assert torch.allclose(found.by_pixel[:, 0].exp(), torch.tensor(prior).double().expand(5, 4))
    assert torch.allclose(found.by_pixel[:, -1], found.log_probs)


def test_belief_after_a_pixel_does_not_depend_on_later_ones(model, images):
    changed = images.clone()
    changed[:, :, 1, 2:] = (changed[:, :, 1, 2:] + 1) % 3  # pixels 6 and on
    before, after = (classify(model, x, by_pixel=True).by_pixel for x in (images, changed))
    assert torch.equal(before[:, :7], after[:, :7])
    assert not torch.equal(before[:, 7], after[:, 7])


def test_the_bundled_model_classifies_digits():
    data = load_data("digits")
    some = data.test.take(torch.arange(0, len(data.test), 4))
    x = next(iter(some.read([torch.arange(len(some))]))).long()
    found = classify(load("digits"), x)
    assert (found.predicted == some.labels).double().mean() > 0.9


def test_a_prior_that_is_no_distribution_over_the_labels_is_refused(model, images):
    with pytest.raises(ShapeError, match="`prior` must hold 4"):
        classify(model, images, prior=[0.5, 0.5])
    with pytest.raises(ConfigError, match="sum to 1"):
        classify(model, images, prior=[1.0, 1.0, 1.0, 1.0])
    with pytest.raises(ConfigError, match="sum to 1"):
        classify(model, images, prior=[-0.5, 0.5, 0.5, 0.5])


def test_a_model_without_labels_cannot_classify(images):
    with pytest.raises(ConfigError, match="labels"):
        classify(PixelCNN(num_residual_blocks=1, num_classes=3), images)


def test_progress_counts_a_pass_for_each_label(model, images):
    calls = []
    classify(model, images, batch_size=3, progress=lambda *counts: calls.append(counts))
    assert calls[0] == (3, 20) and calls[-1] == (20, 20) and calls == sorted(calls)
