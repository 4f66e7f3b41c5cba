"""Devices and deterministic algorithms."""

import pytest
import torch

from pixelcnn.device import deterministic_algorithms, has_bf16
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


@pytest.mark.parametrize(
    ("machine", "has_kernels", "avx512_bf16", "amx", "expected"),
    [
        ("x86_64", False, True, True, False),
        ("x86_64", True, False, False, False),
        ("x86_64", True, True, False, True),
        ("AMD64", True, False, True, True),
        ("aarch64", True, False, False, True),
    ],
)
def test_bf16_needs_instructions(machine, has_kernels, avx512_bf16, amx, expected, monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: has_kernels)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512_bf16)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    assert has_bf16("cpu") is expected


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), False), ((8, 0), True)])
def test_bf16_needs_a_card_of_generation_8(capability, expected, monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert has_bf16("cuda:1") is expected
