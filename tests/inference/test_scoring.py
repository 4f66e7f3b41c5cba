"""Scores are the likelihood, in every unit and at every pixel."""

import math

import pytest
import torch

from pixelcnn.errors import ConfigError, ShapeError
from pixelcnn.inference import classify, densities, score, score_unconditionally
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


def test_bits_add_up_to_the_nats_at_the_place_of_their_pixel(model, images):
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
    calls = []
    score(model, images, 0, batch_size=2, progress=lambda *counts: calls.append(counts))
    assert calls == [(2, 5), (4, 5), (5, 5)]


def test_what_does_not_fit_is_named(model, images):
    with pytest.raises(ShapeError, match="`images`"):
        score(model, images[0], 0)
    with pytest.raises(ShapeError, match="at least one image"):
        score(model, images[:0], 0)
    with pytest.raises(ConfigError, match="batch_size"):
        score(model, images, 0, batch_size=0)
    with pytest.raises(ShapeError, match="needs `cond`"):
        score(model, images)


PRIOR = [0.1, 0.2, 0.7]


def made(**options) -> PixelCNN:
    torch.manual_seed(0)
    model = PixelCNN(
        **{"num_classes": 2, "num_residual_blocks": 1, "hidden_channels": 6, **options}
    )
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.4)
    return model.double().eval()


def test_labels_are_summed_out_under_their_prior():
    model, x = made(num_classes=3, num_labels=3), torch.randint(3, (5, 1, 3, 4))
    found = score_unconditionally(model, x, prior=PRIOR, batch_size=2)
    assert torch.allclose(-found.nats, classify(model, x, prior=PRIOR).log_prob)


def test_the_probabilities_of_all_images_sum_to_one():
    model = made(num_labels=3)
    every = torch.cartesian_prod(*[torch.arange(2)] * 4).view(16, 1, 2, 2)
    found = score_unconditionally(model, every, prior=PRIOR)
    assert found.nats.neg().exp().sum().item() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("channels", [1, 3])
def test_bits_are_those_of_sub_pixels_given_all_earlier_ones(channels):
    model = made(num_labels=2, in_channels=channels, num_classes=3)
    x = torch.randint(3, (2, channels, 2, 2))
    found = score_unconditionally(model, x)
    assert torch.allclose(found.bits.flatten(1).sum(1).double() * math.log(2), found.nats)
    beliefs = classify(model, x, by_pixel=True).by_pixel.exp()
    first = torch.stack([score(model, x, label).bits for label in range(2)])[..., 0, 0].sum(2)
    mixed = (beliefs[:, 0].T * torch.exp2(-first)).sum(0)  # the first pixel, before it is seen
    assert torch.allclose(found.bits_per_pixel[:, 0, 0], -mixed.log2().float(), atol=1e-5)


@pytest.fixture
def both():
    """With two densities: one output per label, and one without."""
    return made(num_classes=3, num_labels=3, label_dropout=0.1)


@pytest.mark.parametrize(
    ("cond", "better"), [(torch.arange(60) % 3, "labels summed out"), (None, "no-label output")]
)
def test_of_two_densities_the_better_in_total_is_taken_and_named(both, cond, better):
    x = both.generate((1, 4, 4), num_samples=60, cond=cond, seed=1)
    ways = {way: score_unconditionally(both, x, density=way) for way in densities(both)}
    found = score_unconditionally(both, x)
    assert found.density == better
    assert torch.equal(found.nats, ways[better].nats)
    assert ways[better].nats.sum() == min(way.nats.sum() for way in ways.values())
    # One choice for all images: the better for each image would not be a density.
    first, second = (way.nats for way in ways.values())
    assert (first < second).any() and (first > second).any()


def test_both_densities_sum_to_one(both):
    every = torch.cartesian_prod(*[torch.arange(3)] * 4).view(81, 1, 2, 2)
    for density in densities(both):
        nats = score_unconditionally(both, every, density=density).nats
        assert nats.neg().exp().sum().item() == pytest.approx(1, abs=1e-9)


def test_without_a_label_only_one_density_may_be_there():
    x = torch.randint(2, (2, 1, 3, 3))
    plain, attributes = made(), made(num_attributes=2, label_dropout=0.1)
    for model, density in ((plain, "unconditional"), (attributes, "no-condition output")):
        found = score_unconditionally(model, x)
        assert (found.density, score(model, x).density) == (density, density)
        assert torch.equal(found.nats, score(model, x).nats)
    with pytest.raises(ConfigError, match="`density` must be one of unconditional, got 'sum'"):
        score_unconditionally(plain, x, density="sum")


def test_progress_goes_over_both_densities(both):
    calls = []
    x = torch.randint(3, (4, 1, 3, 3))
    score_unconditionally(both, x, batch_size=2, progress=lambda *each: calls.append(each))
    assert calls == [(2, 8), (4, 8), (6, 8), (8, 8)]


def test_attributes_cannot_be_summed_out():
    x = torch.randint(2, (2, 1, 3, 3))
    with pytest.raises(ConfigError, match="`label_dropout`"):
        score_unconditionally(made(num_attributes=2), x)
