"""Every head, by the table."""

import pytest
import torch

from pixelcnn.errors import ConfigError
from pixelcnn.likelihoods import LIKELIHOODS, Bernoulli, Categorical, make_likelihood

CASES = [
    pytest.param(name, channels, levels, id=f"{name}-{channels}-{levels}")
    for name in LIKELIHOODS
    for channels in (1, 2, 3)
    for levels in (2, 5, 256)
    if name != "bernoulli" or levels == 2
]


@pytest.mark.parametrize(("name", "channels", "levels"), CASES)
def test_level_logits_are_the_numbers_of_log_prob(name, channels, levels):
    head = make_likelihood(name, channels=channels, levels=levels)
    params = torch.randn(3, head.num_params, 2, 2, dtype=torch.float64)
    x = torch.randint(levels, (3, channels, 2, 2))
    expected = head.log_prob(params, x)
    assert expected.shape == x.shape
    for channel in range(channels):
        logits = head.level_logits(params[:, :, 1, 0], x[:, :channel, 1, 0], channel)
        assert logits.shape == (3, levels)
        nats = logits.log_softmax(1).gather(1, x[:, channel, 1, 0, None])[:, 0]
        torch.testing.assert_close(nats, expected[:, channel, 1, 0])


@pytest.mark.parametrize(("name", "channels", "levels"), CASES)
def test_log_prob_of_half_precision_parameters_is_single(name, channels, levels):
    head = make_likelihood(name, channels=channels, levels=levels)
    params = torch.randn(1, head.num_params, 2, 2).bfloat16()
    x = torch.zeros(1, channels, 2, 2, dtype=torch.int64)
    assert head.log_prob(params, x).dtype == torch.float32


def test_the_default_head_follows_the_levels():
    assert isinstance(make_likelihood(None, channels=1, levels=2), Bernoulli)
    assert isinstance(make_likelihood(None, channels=1, levels=3), Categorical)


def test_heads_that_cannot_serve_are_refused():
    with pytest.raises(ConfigError, match="`num_classes` 2, got 3"):
        make_likelihood("bernoulli", channels=1, levels=3)
    with pytest.raises(ConfigError, match="one of bernoulli, categorical"):
        make_likelihood("gaussian", channels=1, levels=3)
