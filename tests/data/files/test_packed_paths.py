"""Paths packed into one block."""

import pickle
from pathlib import Path

import pytest
import torch

from pixelcnn.data.files.packed_paths import PackedPaths

NAMES = ["a.png", "ünï/ç ø.png", "b/\udcff.png", "", "z.png"]


def names_of(paths):
    return [paths.name(i) for i in range(len(paths))]


def test_names_come_back_as_they_were_even_undecodable_ones():
    paths = PackedPaths.of(Path("root"), NAMES)
    assert names_of(paths) == NAMES
    assert paths[1] == Path("root/ünï/ç ø.png")


def test_taking_twice_is_taking_of_what_was_taken():
    paths = PackedPaths.of(Path("root"), NAMES).take(torch.tensor([4, 0, 2]))
    assert names_of(paths.take(torch.tensor([1, 0]))) == ["a.png", "z.png"]
    assert names_of(paths.packed()) == ["z.png", "a.png", "b/\udcff.png"]
    assert paths.packed().text == b"z.png\0a.png\0b/\xff.png\0"


def test_beyond_the_last_there_is_none():
    with pytest.raises(IndexError):
        PackedPaths.of(Path("root"), NAMES)[5]


def test_a_worker_is_sent_little_more_than_the_names():
    names = [f"{number // 1000:04}/{number:06}.png" for number in range(10_000)]
    sent = len(pickle.dumps(PackedPaths.of(Path("root"), names)))
    assert sent < sum(map(len, names)) + 20 * len(names)
