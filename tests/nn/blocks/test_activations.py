import torch
import torch.nn.functional as F

from pixelcnn.nn import GATE_GAIN, concat_elu, gate, halves
from pixelcnn.nn.blocks.activations import SHORT_ROW, packed

# Vectorised code may round an element by where it stands in memory.
ROUNDING = {"rtol": 1e-14, "atol": 1e-15}
H = torch.randn(2, 3, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_a_gate_opens_one_half_by_the_other():
    h = torch.randn(2, 3, 8)
    torch.testing.assert_close(gate(h), h[..., :4].tanh() * h[..., 4:].sigmoid())


def test_each_colour_has_a_gate_of_its_own():
    h = torch.randn(2, 3, 12)
    colours = [gate(colour) for colour in h.chunk(3, -1)]
    torch.testing.assert_close(gate(h, groups=3), torch.cat(colours, -1))


def test_halves_stay_in_the_runs_of_their_colours():
    first, second = halves(torch.arange(12), groups=3)
    assert first.tolist() == [0, 1, 4, 5, 8, 9]
    assert second.tolist() == [2, 3, 6, 7, 10, 11]


def test_the_gain_makes_up_for_the_gate():
    power = gate(torch.randn(100_000, 2)).square().mean()
    assert abs(GATE_GAIN * power.sqrt() - 1) < 0.02


def test_short_halves_in_half_precision_are_packed_and_others_are_read_where_they_lie():
    short, long = torch.randn(2, 3, 8), torch.randn(2, 3, 2 * SHORT_ROW)
    half = short.bfloat16()[..., 4:]
    assert packed(half).is_contiguous()
    assert torch.equal(packed(half), half)
    for apart in (short[..., 4:], long.bfloat16()[..., SHORT_ROW:]):
        assert packed(apart) is apart


def test_both_signs_of_every_feature_are_kept():
    both = concat_elu(H)
    torch.testing.assert_close(both[..., :6], F.elu(H), **ROUNDING)
    torch.testing.assert_close(both[..., 6:], F.elu(-H), **ROUNDING)


def test_colours_stay_in_their_runs():
    runs = concat_elu(H, groups=3)
    for colour in range(3):
        own = concat_elu(H[..., 2 * colour : 2 * colour + 2])
        torch.testing.assert_close(
            runs[..., 4 * colour : 4 * colour + 4], own, rtol=1e-14, atol=1e-15
        )


def test_no_derivative_is_zero():
    h = H.clone().requires_grad_()
    concat_elu(h).sum().backward()
    assert (h.grad != 0).all()
