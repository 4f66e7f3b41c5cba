"""Sampling in 16 bits samples from a rounded copy; nothing else is rounded."""

import pytest
import torch

from pixelcnn.errors import ConfigError
from pixelcnn.inference import PixelCNNSampler
from pixelcnn.models import PixelCNN, build
from pixelcnn.walk import (
    CachedStepper,
    NaiveStepper,
    RoundedModel,
    SamplingOptions,
    in_precision,
    scoring_chooser,
    walk,
)

SMALL = {
    "pixelcnn": {"num_residual_blocks": 1, "attention_every": 1},
    "gated": {"num_layers": 2, "norm": "channel"},
    "pixelcnnpp": {"num_resnets": 1, "num_resolutions": 2},
    "pixelsnail": {"num_blocks": 1, "num_resnets": 1, "key_width": 4},
}
ROUNDING = {torch.bfloat16: 2**-8, torch.float16: 2**-11}


def make(name: str, **options) -> torch.nn.Module:
    options = {"hidden_channels": 12, "num_labels": 3, "num_classes": 8, **options}
    model = build(name, image_size=(6, 5), in_channels=3, **SMALL[name], **options)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return model.eval()


def site_log_prob(model, x, cond, stepper=CachedStepper):
    log_prob = torch.empty(x.shape)
    walk(stepper(model), x.clone(), scoring_chooser(x, log_prob), cond=cond)
    return log_prob


@pytest.mark.parametrize("dtype", ROUNDING)
@pytest.mark.parametrize("name", SMALL)
def test_logits_differ_by_the_rounding_of_the_bits(name, dtype):
    model = make(name, likelihood="logistic_mixture" if name == "pixelcnnpp" else "categorical")
    cond = torch.tensor([0, 1, 2])
    x = torch.randint(8, (3, 3, 4, 3))
    with torch.no_grad():
        exact = model.site_log_prob(x, cond)
    rounded = RoundedModel(model, dtype)
    found = site_log_prob(rounded, x, cond)
    assert rounded(x, cond).dtype == torch.float32
    assert rounded.network(x, cond).dtype == dtype
    assert 0 < (found - exact).abs().max() < 40 * ROUNDING[dtype]
    # The cached walk is that of the same copy, though its sums are rounded in another order.
    naive = site_log_prob(rounded, x, cond, stepper=NaiveStepper)
    assert (found - naive).abs().max() < 40 * ROUNDING[dtype]


@pytest.mark.parametrize("precision", ["bf16", "16"])
@pytest.mark.parametrize("name", SMALL)
def test_neither_the_model_nor_its_probabilities_change(name, precision):
    model = make(name)
    x = torch.randint(8, (2, 3, 6, 5))
    weights = {key: value.clone() for key, value in model.state_dict().items()}
    before = model.log_prob(x, [0, 1])
    exact = PixelCNNSampler(model).generate_samples(40, cond=1)
    samples = PixelCNNSampler(model).generate_samples(40, cond=1, precision=precision)
    assert (samples == exact).float().mean() > 0.5  # the same noise, from much the same model
    assert torch.equal(model.log_prob(x, [0, 1]), before)
    assert all(torch.equal(value, weights[key]) for key, value in model.state_dict().items())


def test_caches_of_a_walk_take_half_the_memory():
    model = make("gated")
    rounded = RoundedModel(model, torch.bfloat16)
    for walked, network in ((model, model), (rounded, rounded.network)):
        stepper, x = CachedStepper(walked), torch.zeros(1, 3, 6, 5, dtype=torch.int64)
        walk(stepper, x, lambda logits, front: logits.argmax(1), cond=torch.tensor([1]))
        kept = stepper.cursor.caches[network.above].rows
        assert kept.dtype == network.above.weight.dtype
    assert kept.dtype == torch.bfloat16


def test_neighbouring_levels_stay_apart_in_16_bits():
    model = PixelCNN(num_classes=256)
    seen = RoundedModel(model, torch.bfloat16).network.embed(torch.arange(256).view(1, 1, 1, 256))
    assert len(seen.unique()) == 256


def test_a_network_that_overflows_is_refused():
    model = make("gated")
    model.out.bias.data[0] = 1e5  # float16 ends at 65,504
    sampler = PixelCNNSampler(model)
    with pytest.raises(ConfigError, match=r"overflow float16\. Use bf16 or float32"):
        sampler.generate_samples(2, cond=1, precision="16")
    assert sampler.generate_samples(2, cond=1, precision="bf16").shape == (2, 3, 6, 5)
    with pytest.raises(ConfigError, match="overflow"):
        next(sampler.stream(2, cond=1, precision="16"))


def test_the_model_itself_is_walked_unless_bits_are_saved():
    model = PixelCNN(num_classes=2).double()
    assert in_precision(model, "float32") is model
    with pytest.raises(ConfigError, match="float32, bf16, 16, got 'half'"):
        SamplingOptions(precision="half")


def test_guided_sampling_is_rounded_too():
    model = make("gated", label_dropout=0.1)
    how = {"cond": 1, "guidance": 2.0}
    exact = PixelCNNSampler(model).generate_samples(20, **how)
    samples = PixelCNNSampler(model).generate_samples(20, **how, precision="bf16")
    assert 0.5 < (samples == exact).float().mean() < 1
