"""Levels come back in order, and cost what their frequencies say."""

import pytest
import torch

from pixelcnn.codec.coder import LevelDecoder, LevelEncoder
from pixelcnn.codec.frequencies import level_frequencies


def some(num_levels: int, rows: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(num_levels)
    logits = 4 * torch.randn(rows, num_levels, generator=generator)
    levels = torch.multinomial(logits.softmax(1), 1, generator=generator)[:, 0]
    return levels, level_frequencies(logits)


@pytest.mark.parametrize("num_levels", [2, 17, 256, 65_536])
def test_levels_come_back(num_levels):
    levels, frequencies = some(num_levels, 5 if num_levels > 1000 else 200)
    encoder = LevelEncoder()
    encoder.push(levels[:3], frequencies[:3])
    encoder.push(levels[3:], frequencies[3:])
    decoder = LevelDecoder(encoder.content())
    assert decoder.pop(frequencies[:1]).equal(levels[:1])
    assert decoder.pop(frequencies[1:]).equal(levels[1:])
    assert decoder.is_at_end


@pytest.mark.parametrize("num_levels", [2, 256])
def test_the_length_is_that_of_the_frequencies(num_levels):
    levels, frequencies = some(num_levels, 5000)
    encoder = LevelEncoder()
    encoder.push(levels, frequencies)
    share = frequencies.gather(1, levels[:, None]).double() / 2**24
    assert abs(8 * len(encoder.content()) + share.log2().sum()) < 64


def test_every_level_of_the_least_frequency_can_be_coded():
    frequencies = torch.tensor([[2**24 - 65_535] + [1] * 65_535], dtype=torch.int32)
    levels = torch.tensor([0, 1, 40_000, 65_535])
    encoder = LevelEncoder()
    encoder.push(levels, frequencies.expand(4, -1))
    assert LevelDecoder(encoder.content()).pop(frequencies.expand(4, -1)).equal(levels)


def test_golden_words():
    """The stream of these levels is part of the format: a change breaks files."""
    levels, frequencies = torch.arange(5), torch.tensor([[1, 2, 3, 4, 2**24 - 10]]).int()
    encoder = LevelEncoder()
    encoder.push(levels, frequencies.expand(5, -1))
    assert encoder.content().hex() == "00000000ffff000024faff05"


def test_nothing_is_coded_as_nothing():
    encoder, nothing = LevelEncoder(), torch.empty(0, 3, dtype=torch.int32)
    encoder.push(torch.empty(0, dtype=torch.int64), nothing)
    assert encoder.content() == b""
    assert len(LevelDecoder(b"").pop(nothing)) == 0
