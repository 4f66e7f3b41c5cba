"""Devices and deterministic algorithms."""

import pytest
import torch

from pixelcnn.device import deterministic_algorithms
from pixelcnn.errors import ConfigError


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("wanted", [False, True, None])
def test_determinism_is_as_wanted_within_and_as_it_was_after(before, wanted):
    torch.use_deterministic_algorithms(before)
    try:
        with deterministic_algorithms(wanted):
            inside = torch.are_deterministic_algorithms_enabled()
        assert inside == (before if wanted is None else wanted)
        assert torch.are_deterministic_algorithms_enabled() == before
    finally:
        torch.use_deterministic_algorithms(False)


def test_an_operation_that_cannot_be_deterministic_is_named():
    named = pytest.raises(
        ConfigError, match=r"`training\.deterministic` cannot be .*: put_ does not"
    )
    with named, deterministic_algorithms(True):
        torch.zeros(3).put_(torch.tensor([0]), torch.tensor([1.0]), accumulate=False)
    assert not torch.are_deterministic_algorithms_enabled()


def test_other_errors_come_through():
    with pytest.raises(RuntimeError, match="mine"), deterministic_algorithms(True):
        raise RuntimeError("mine")
