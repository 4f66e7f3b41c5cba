"""Portable arithmetic: exact sums, functions close to those of torch, nothing else."""

import pytest
import torch
import torch.nn.functional as F

from pixelcnn.codec.portable.arithmetic import PortableArithmetic, settle
from pixelcnn.errors import ConfigError

UNIT = 2.0**-14


def features(*shape, scale=1.0):
    generator = torch.Generator().manual_seed(0)
    return settle(scale * torch.randn(shape, generator=generator, dtype=torch.float64))


def test_settling_rounds_halves_upwards_and_clips():
    h = UNIT * torch.tensor([0.5, -0.5, 1.49, -1.51, 2.0**30, -(2.0**30)], dtype=torch.float64)
    assert (settle(h) / UNIT).tolist() == [1, 0, 1, -2, 2**21, -(2**21)]
    assert h[0] == UNIT / 2, "`settle` changed what it was given"


def test_sums_are_exact_in_any_order():
    h, weight = features(5, 4000, scale=30.0), features(7, 4000)
    order = torch.randperm(4000, generator=torch.Generator().manual_seed(1))
    with PortableArithmetic():
        found = F.linear(h, weight), F.linear(h[:, order], weight[:, order])
    assert torch.equal(*found)
    units = (h / UNIT).long() @ (weight / UNIT).long().T
    expected = torch.div(units + 2**13, 2**14, rounding_mode="floor").clamp(-(2**21), 2**21)
    assert torch.equal((found[0] / UNIT).long(), expected)


def test_functions_are_those_of_torch_but_for_rounding():
    h, query, key, value = features(4, 6, 5, scale=3.0), *features(3, 2, 4, 7, 6)
    weight, bias, mean, variance = features(5), features(5), features(5), features(5).abs() + 1
    functions = [
        lambda: torch.tanh(h),
        lambda: torch.sigmoid(h),
        lambda: F.elu(h),
        lambda: h.softmax(-1),
        lambda: F.layer_norm(h, (5,)),
        lambda: torch.addcmul(bias, h, weight),
        lambda: 0.3 * h,
        lambda: h / 3,
        lambda: F.batch_norm(h.flatten(0, 1), mean, variance, weight, bias, training=False),
        lambda: F.scaled_dot_product_attention(query, key, value, is_causal=True, scale=0.4),
    ]
    for number, function in enumerate(functions):
        with PortableArithmetic():
            found = function()
        gap = (found - function()).abs().max()
        assert gap < 1e-3, f"function {number} is off by {gap}"
        unit = 2.0**-20 if number == 3 else UNIT
        assert torch.equal(found, (found / unit).round() * unit)


def test_a_softmax_does_not_depend_on_what_is_hidden():
    h = features(3, 50)
    hidden = torch.cat([h, torch.full((3, 9), -torch.inf, dtype=torch.float64)], 1)
    with PortableArithmetic():
        found = hidden.softmax(1)[:, :50], h.softmax(1)
    assert torch.equal(*found)


def test_other_functions_are_refused():
    h = features(1)
    with PortableArithmetic(), pytest.raises(ConfigError, match=r"got `exp`\. Use `entropy_model`"):
        h.exp()
