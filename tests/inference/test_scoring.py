"""Scores are the likelihood, in every unit, and say where an image was hard to guess."""

import math

import pytest
import torch

from pixelcnn.errors import ConfigError, ShapeError
from pixelcnn.inference import score
from pixelcnn.models import GatedPixelCNN, PixelCNN


@pytest.fixture
def model():
    model = GatedPixelCNN(
        in_channels=3, hidden_channels=6, num_layers=2, num_classes=4, num_labels=2
    )
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    return model.double()


@pytest.fixture
def images():
    return torch.randint(4, (5, 3, 4, 6))


def test_nats_are_minus_the_log_likelihood_whatever_the_batch(model, images):
    labels = torch.tensor([0, 1, 1, 0, 1])
    expected = -model.log_prob(images, labels).detach()
    for batch_size in (1, 2, 256):
        scores = score(model, images, labels, batch_size=batch_size)
        assert torch.allclose(scores.nats, expected, atol=1e-10)


def test_bits_add_up_to_the_nats_and_stand_where_their_pixel_stands(model, images):
    scores = score(model, images, 1)
    assert torch.allclose(scores.bits.flatten(1).sum(1), (scores.nats / math.log(2)).float())
    sites = -model.site_log_prob(images, 1).detach() / math.log(2)
    assert torch.allclose(scores.bits, sites.float())
    assert torch.allclose(scores.bits_per_pixel[2, 1, 5], sites[2, :, 1, 5].sum().float())


def test_units_agree(model, images):
    scores = score(model, images, 0)
    assert torch.allclose(scores.bits_per_dim, scores.bits.double().flatten(1).mean(1), atol=1e-6)
    assert torch.allclose(scores.perplexity, 2**scores.bits_per_dim)


def test_the_ranking_begins_with_the_least_probable(model, images):
    scores = score(model, images, 0)
    ranked = scores.nats[scores.ranking]
    assert (ranked[:-1] >= ranked[1:]).all() and ranked[0] == scores.nats.max()


def test_dropout_is_off_and_the_mode_stays_as_it_was():
    model = PixelCNN(num_residual_blocks=1, dropout=0.5, num_classes=2).train()
    x = torch.randint(2, (2, 1, 6, 6))
    assert torch.equal(score(model, x).nats, score(model, x).nats)
    assert model.training


def test_progress_ends_with_all_images(model, images):
    told = []
    score(model, images, 0, batch_size=2, progress=lambda *counts: told.append(counts))
    assert told == [(2, 5), (4, 5), (5, 5)]


def test_what_does_not_fit_is_named(model, images):
    with pytest.raises(ShapeError, match="`images`"):
        score(model, images[0], 0)
    with pytest.raises(ShapeError, match="at least one image"):
        score(model, images[:0], 0)
    with pytest.raises(ConfigError, match="batch_size"):
        score(model, images, 0, batch_size=0)
    with pytest.raises(ShapeError, match="needs `cond`"):
        score(model, images)
