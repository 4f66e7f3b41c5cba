import pytest
import torch
import torch.nn.functional as F

from pixelcnn.device import has_avx512
from pixelcnn.nn.attention import blockwise as module
from pixelcnn.nn.attention.blockwise import BLOCK, blockwise, pays
from pixelcnn.nn.attention.key_values import attend


@pytest.fixture(autouse=True)
def _no_amx(monkeypatch):
    monkeypatch.setattr(module, "has_amx", lambda: False)


LENGTH = 2 * BLOCK + 3  # tokens: the last block is a short one


def tokens(dtype, *, length=LENGTH, value_width=3):
    """Queries, keys and values of 2 images and 2 heads."""
    generator = torch.Generator().manual_seed(0)
    return [
        torch.randn(2, 2, length, width, dtype=torch.float64, generator=generator)
        .to(dtype)
        .requires_grad_()
        for width in (4, 4, value_width)
    ]


def gradients(function, parts):
    attended = function(*parts)
    weights = torch.linspace(-1, 1, attended.numel(), dtype=torch.float64).view_as(attended)
    return attended, *torch.autograd.grad((attended * weights).sum(), parts)


def test_blocks_give_what_all_tokens_at_once_give_and_so_do_their_derivatives():
    parts = tokens(torch.float64)
    wanted = gradients(lambda *parts: attend(*parts, strict=False), parts)
    torch.testing.assert_close(gradients(blockwise, parts), wanted)


@pytest.mark.parametrize("strict", [False, True])
def test_training_in_half_precision_goes_by_blocks_and_stays_close(strict, monkeypatch):
    calls = []
    monkeypatch.setattr(
        "pixelcnn.nn.attention.key_values.blockwise",
        lambda *parts: calls.append(1) or blockwise(*parts),
    )
    parts = tokens(torch.bfloat16)
    attended = attend(*parts, strict=strict)
    assert calls
    assert attended.dtype == torch.bfloat16
    whole = attend(*(part.detach().double() for part in parts), strict=strict)
    torch.testing.assert_close(attended.double(), whole, atol=0.02, rtol=0.02)


def test_blocks_pay_for_long_sequences_trained_in_half_precision_that_fit(monkeypatch):
    query = tokens(torch.bfloat16)[0]
    assert pays(query)
    assert not pays(query[:, :, :BLOCK])
    assert not pays(query.float())
    assert not pays(query.detach())
    with torch.no_grad():
        assert not pays(query)
    with monkeypatch.context() as changed:
        changed.setattr(module, "has_amx", lambda: True)
        assert not pays(query)
    monkeypatch.setattr(module, "MOST_WEIGHTS", 2 * 2 * LENGTH**2 // 2 - 1)
    assert not pays(query)


@pytest.mark.parametrize(("width", "computed"), [(3, torch.float32), (32, torch.bfloat16)])
def test_narrow_heads_that_blocks_do_not_serve_train_in_single_precision(
    width, computed, monkeypatch
):
    monkeypatch.setattr(module, "MOST_WEIGHTS", 0)
    seen, attention = [], F.scaled_dot_product_attention

    def noted(query, *rest, **options):
        seen.append(query.dtype)
        return attention(query, *rest, **options)

    monkeypatch.setattr(F, "scaled_dot_product_attention", noted)
    parts = tokens(torch.bfloat16, value_width=width)
    with torch.autocast("cpu", torch.bfloat16):
        attended = attend(*parts, strict=False)
    expected = computed if has_avx512() else torch.float32
    assert (seen, attended.dtype) == ([expected], torch.bfloat16)
    whole = attend(*(part.detach().double() for part in parts), strict=False)
    torch.testing.assert_close(attended.double(), whole, atol=0.02, rtol=0.02)
