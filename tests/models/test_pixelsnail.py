import pytest
import torch

from pixelcnn.errors import ConfigError
from pixelcnn.models import PixelSNAIL
from pixelcnn.nn import DownRightConv

TINY = {"hidden_channels": 6, "num_blocks": 2, "num_resnets": 1, "key_width": 2}
CIFAR10 = {
    "in_channels": 3,
    "num_classes": 256,
    "likelihood": "logistic_mixture",
    "num_mixtures": 10,
    "hidden_channels": 256,
    "num_blocks": 12,
}


def layer(reads, writes):
    """Parameters of a weight-normalised layer: directions, gains and biases."""
    return reads * writes + 2 * writes


def residual(features, *, taps=1, aux=0):
    """Parameters of a gated residual block with plain ELU, as the authors' script runs it."""
    first, second = layer(taps * features, features), layer(taps * features, 2 * features)
    return first + second + (layer(aux, features) if aux else 0)


def parameters_of_the_reference(*, places=6):
    """`h12_noup_smallkey` of the authors' code with the arguments that they give for CIFAR-10.

    Its places are as many as the image has channels: rows thrice, and columns thrice.
    """
    d, key, value = 256, 16, 128
    pixel = 3 + 1  # colours, and a one that tells pixels from padding
    first = layer(3 * pixel, d) + layer(2 * pixel, d)
    asking, telling = d + places, d + places + 3
    asks = residual(asking) + layer(asking, key)
    tells = residual(telling) + layer(telling, key + value)
    block = 4 * residual(d, taps=4) + asks + tells + residual(d, aux=value)
    return first + 12 * block + layer(d, 10 * 10)


def test_parameters_for_cifar10_are_those_of_the_reference_but_for_its_repeated_places():
    assert parameters_of_the_reference() == 46_180_788
    with torch.device("meta"):
        model = PixelSNAIL(**CIFAR10)
    assert model.num_parameters == parameters_of_the_reference(places=2)
    assert model.num_parameters == 46_180_788 - 158_880


def test_windows_see_up_and_left_and_attention_sees_everything():
    field = PixelSNAIL(num_blocks=1, num_resnets=1).receptive_field()
    assert field[:3] == (3, 3, 1)
    assert (0, -3) in field.offsets and (0, 0) not in field.offsets
    assert field.sees_all_past
    assert (0, 0) in PixelSNAIL(in_channels=3, num_classes=4).receptive_field().offsets


def test_width_is_rounded_up_for_the_colours():
    model = PixelSNAIL(in_channels=3, num_classes=256, **{**TINY, "hidden_channels": 16})
    assert model.out.direction.shape == (768, 18, 1, 1)
    assert model.config["hidden_channels"] == 16
    assert model(torch.zeros(1, 3, 8, 8, dtype=torch.int64)).shape == (1, 768, 8, 8)


def test_a_mixture_predicts_whole_pixels():
    options = {"num_classes": 256, "likelihood": "logistic_mixture", "num_mixtures": 5}
    model = PixelSNAIL(in_channels=3, **TINY, **options)
    assert model.groups == 1
    assert model(torch.zeros(1, 3, 8, 8, dtype=torch.int64)).shape == (1, 50, 8, 8)


def test_dropout_acts_in_training_only():
    model = PixelSNAIL(dropout=0.5, **TINY)
    x = torch.randint(2, (2, 1, 8, 8))
    assert not torch.equal(model(x), model(x))
    model.eval()
    assert torch.equal(model(x), model(x))


def test_every_weight_is_read():
    model = PixelSNAIL(in_channels=3, num_labels=2, num_heads=2, **TINY)
    model.log_prob(torch.randint(2, (2, 3, 6, 6)), [0, 1]).sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in model.parameters())


def test_a_first_batch_sets_the_scale_of_every_layer():
    torch.manual_seed(0)
    model = PixelSNAIL(num_labels=2, **TINY)
    x, labels = torch.randint(2, (4, 1, 8, 8)), [0, 1, 1, 0]
    scales = []
    model.initialise(x, labels)
    for module in model.modules():
        if isinstance(module, DownRightConv):
            module.register_forward_hook(
                lambda module, _, out: scales.append(out.flatten(0, -2).std(0) / module.init_scale)
            )
    model(x, torch.tensor(labels))
    assert len(scales) > 20
    for scale in scales:
        torch.testing.assert_close(scale, torch.ones_like(scale), rtol=0, atol=0.01)


def test_a_walk_computes_each_key_once():
    model = PixelSNAIL(**TINY).eval()
    calls = []
    for block in model.blocks:
        block.attention.tell.register_forward_hook(lambda *_: calls.append(1))
    model.generate((1, 4, 5), num_samples=2)
    assert len(calls) == 2 * (4 * 5 - 1)  # the last pixel is seen by none


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"hidden_channels": 0}, "hidden_channels"),
        ({"num_blocks": 0}, "num_blocks"),
        ({"num_resnets": 0}, "num_resnets"),
        ({"key_width": 0}, "key_width"),
        ({"num_heads": 0}, "num_heads"),
        ({"dropout": 1.0}, "dropout"),
        ({"likelihood": "bernoulli", "num_classes": 3}, "bernoulli"),
        ({"num_labels": 2, "num_attributes": 2}, "num_labels"),
    ],
)
def test_arguments_out_of_range_are_refused_by_name(options, name):
    with pytest.raises(ConfigError, match=name):
        PixelSNAIL(**options)
