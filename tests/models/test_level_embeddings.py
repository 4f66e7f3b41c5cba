"""Learned level embeddings are an option of every model: a grid of 512 codes, for instance."""

import pytest
import torch

from pixelcnn.errors import ConfigError
from pixelcnn.models import MODELS, build
from pixelcnn.walk import CachedStepper, NaiveStepper
from tests.laws.test_walking import CLOSE, logits_by_site

NUM_CODES = 512
SMALL = {
    "pixelcnn": {"num_residual_blocks": 1},
    "gated": {"num_layers": 2},
    "pixelsnail": {"num_blocks": 1, "num_resnets": 1},
    "pixelcnnpp": {"num_resnets": 1, "num_resolutions": 1},
}


@pytest.fixture(params=MODELS)
def name(request):
    return request.param


def make(name, **options):
    torch.manual_seed(0)
    small = {"num_classes": NUM_CODES, "hidden_channels": 16, **SMALL.get(name, {})}
    return build(name, **small, level_embedding_dim=5, **options).eval()


def codes(count, size=(4, 5)):
    generator = torch.Generator().manual_seed(1)
    return torch.randint(NUM_CODES, (count, 1, *size), generator=generator)


def test_codes_have_one_learned_vector_each(name):
    model = make(name)
    assert model.likelihood.name == "categorical"
    assert model.embed.vectors.weight.shape == (NUM_CODES, 5)
    assert model.config["level_embedding_dim"] == 5


def test_drawn_codes_are_as_likely_in_a_walk_as_in_one_pass(name):
    model = make(name, image_size=(4, 5)).double()
    generator = torch.Generator().manual_seed(2)
    x = model.generate(num_samples=3, generator=generator)
    assert x.max() > 255
    cached, naive = (
        logits_by_site(stepper, x, None) for stepper in (CachedStepper(model), NaiveStepper(model))
    )
    torch.testing.assert_close(cached, naive, **CLOSE)
    found = cached.log_softmax(-1).gather(-1, x[..., None])[..., 0]
    torch.testing.assert_close(found, model.site_log_prob(x), **CLOSE)


def test_codes_without_an_order_are_learned_by_their_vectors(name):
    # The right code is that on the left by a random table, which one number per code hardly tells.
    generator = torch.Generator().manual_seed(3)
    table = torch.randperm(NUM_CODES, generator=generator)
    left = torch.randint(NUM_CODES, (256,), generator=generator)
    x = torch.stack([left, table[left]], 1)[:, None, None]
    model = make(name).train()
    optimizer = torch.optim.Adam(model.parameters(), 2e-2)
    for _ in range(60):
        optimizer.zero_grad()
        (-model.log_prob(x)).mean().backward()
        optimizer.step()
    learned = model.eval().site_log_prob(x)[:, 0, 0, 1].mean()
    assert learned > -1  # of ln 512 = 6.2 nats at the start


def test_an_embedding_without_features_is_refused(name):
    with pytest.raises(ConfigError, match=r"`level_embedding_dim` must be at least 1, got 0"):
        build(name, level_embedding_dim=0)
