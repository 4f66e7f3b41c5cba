import pytest
import torch
from einops import rearrange

from pixelcnn.nn.attention.key_values import KeyValues, attend

EITHER = pytest.mark.parametrize("strict", [False, True])
WIDTHS = pytest.mark.parametrize("widths", [(4, 4), (4, 7), (4, 1)])


def tokens(num_tokens, widths, *, num_heads=2):
    """Queries, keys and values. (3 images, heads, L, width)."""
    generator = torch.Generator().manual_seed(0)
    return [
        torch.randn(3, num_heads, num_tokens, width, dtype=torch.float64, generator=generator)
        for width in (widths[0], *widths)
    ]


@EITHER
@WIDTHS
def test_each_token_gets_the_softmax_mean_of_those_it_sees(strict, widths):
    query, key, value = tokens(5, widths)
    attended = attend(query, key, value, strict=strict)
    for token in range(5):
        seen = slice(token + (not strict))
        fit = torch.einsum("bnd,bnld->bnl", query[:, :, token], key[:, :, seen]) / 4**0.5
        mean = torch.einsum("bnl,bnld->bnd", fit.softmax(-1), value[:, :, seen])
        torch.testing.assert_close(attended[:, :, token], mean)


@EITHER
@WIDTHS
@pytest.mark.parametrize("num_tokens", [1, 5])
def test_a_walk_equals_the_whole_pass(strict, widths, num_tokens):
    query, key, value = tokens(num_tokens, widths)
    kept = KeyValues(torch.zeros_like(key[0]), widths[1], batch_size=3)
    flat = [rearrange(t, "b n l d -> l b (n d)") for t in (query, key, value)]
    walked = []
    for token, (asked, *pair) in enumerate(zip(*flat, strict=True)):
        kept.add(token, *pair)
        walked.append(kept.attend(asked, token + (not strict)))
    whole = rearrange(attend(query, key, value, strict=strict), "b n l d -> l b (n d)")
    torch.testing.assert_close(torch.stack(walked), whole)


def test_what_is_added_goes_on_top_of_what_keys_begin_with():
    begin = torch.arange(6.0).view(1, 3, 2)
    kept = KeyValues(begin, 1, batch_size=2)
    kept.add(1, torch.ones(2, 2), torch.full((2, 1), 5.0))
    kept.add(1, torch.ones(2, 2), torch.full((2, 1), 5.0))
    assert kept.keys.mT[1, 0].tolist() == [[0, 1], [4, 5], [4, 5]]
    assert kept.values.flatten(1).tolist() == [[0, 10, 0]] * 2
    assert begin.flatten().tolist() == [0, 1, 2, 3, 4, 5]
