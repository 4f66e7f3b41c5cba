import torch

from pixelcnn.nn import GATE_GAIN, gate, halves
from pixelcnn.nn.gate import SHORT_ROW, packed


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
