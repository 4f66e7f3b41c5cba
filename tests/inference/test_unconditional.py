"""p(x) needs no label: models are asked without, or their labels are summed out."""

import math

import pytest
import torch

from pixelcnn.errors import ConfigError
from pixelcnn.inference import classify, score, score_unconditionally
from pixelcnn.models import PixelCNN

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


def test_a_model_that_serves_without_labels_is_asked_without():
    model, x = made(num_labels=3, label_dropout=0.1), torch.randint(2, (2, 1, 3, 3))
    assert torch.equal(score_unconditionally(model, x).nats, score(model, x).nats)
    plain = made()
    assert torch.equal(score_unconditionally(plain, x).nats, score(plain, x).nats)


def test_attributes_cannot_be_summed_out():
    x = torch.randint(2, (2, 1, 3, 3))
    with pytest.raises(ConfigError, match="`label_dropout`"):
        score_unconditionally(made(num_attributes=2), x)
