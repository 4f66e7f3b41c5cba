import pytest
import torch

from pixelcnn.nn import Condition, Cursor
from pixelcnn.nn.attention.background import BackgroundAttention, background, join
from pixelcnn.order import RasterOrder

COLOURS = pytest.mark.parametrize("groups", [1, 3])
FEATURES, INPUTS = 12, 3


def randn(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, dtype=torch.float64, generator=generator)


def attention_of(*, groups=1, num_heads=2, **options):
    torch.manual_seed(0)
    options = {"key_width": 4, "num_heads": num_heads, "groups": groups, **options}
    return BackgroundAttention(FEATURES, INPUTS, **options).double()


def tokens_of(features, groups):
    """(B, H, W, D) as tokens in raster order. (B, H × W × groups, D / groups)."""
    return features.reshape(len(features), -1, features.shape[-1] // groups)


def walked(attention, h, newest, cond=None):
    """What a walk gets at each token. (B, H × W × groups, ...)."""
    batch, height, width, _ = h.shape
    groups, got = attention.groups, []
    cursor = Cursor(batch, height, width, groups=groups)
    tokens, known = tokens_of(h, groups), tokens_of(newest, groups)
    for token, front in enumerate(RasterOrder(groups, height, width).fronts()):
        cursor.move(front)
        fed = known[:, token - 1] if token else None
        got.append(attention(tokens[:, token], fed, cond, cursor))
    return torch.stack(got, 1), cursor


@COLOURS
@pytest.mark.parametrize("num_heads", [1, 3])
@pytest.mark.parametrize("size", [(3, 4), (1, 5), (4, 1), (1, 1)])
@torch.no_grad()
def test_a_walk_equals_the_whole_pass(groups, num_heads, size):
    attention = attention_of(groups=groups, num_heads=num_heads)
    h, newest = randn(2, *size, FEATURES), randn(2, *size, INPUTS, seed=1)
    whole = tokens_of(attention(h, newest), groups)
    torch.testing.assert_close(walked(attention, h, newest)[0], whole)


@torch.no_grad()
def test_a_walk_tells_a_key_under_the_condition_of_its_own_site():
    attention = attention_of(condition=Condition(num_map_channels=2))
    for name, weight in attention.named_parameters():
        if "cond_bias" in name:
            weight.copy_(randn(*weight.shape))
    h, newest, maps = randn(2, 2, 3, FEATURES), randn(2, 2, 3, INPUTS), randn(2, 2, 2, 3)
    whole = tokens_of(attention(h, newest, maps), 1)
    torch.testing.assert_close(walked(attention, h, newest, maps)[0], whole)


@COLOURS
def test_a_token_gets_what_strictly_earlier_ones_know_and_asks_by_its_own_features(groups):
    attention = attention_of(groups=groups)
    h = randn(4, 2, 3, FEATURES).requires_grad_()
    newest = randn(4, 2, 3, INPUTS, seed=1).requires_grad_()
    got = tokens_of(attention(h, newest), groups)
    for token, output in enumerate((got @ randn(got.shape[-1], seed=2)).sum(0)):
        by_h, by_newest = torch.autograd.grad(output, [h, newest], retain_graph=True)
        reads = tokens_of(by_h, groups).abs().amax((0, 2)) > 0
        knows = tokens_of(by_newest, groups).abs().amax((0, 2)) > 0
        assert knows[:token].all() and not knows[token:].any()
        assert reads[:token].all() and not reads[token + 1 :].any()
        if token > 1:  # of one earlier token everything is taken, whatever is asked
            assert reads[token]


@COLOURS
def test_the_first_token_gets_zeros(groups):
    attention = attention_of(groups=groups)
    got = tokens_of(attention(randn(2, 2, 2, FEATURES), randn(2, 2, 2, INPUTS)), groups)
    assert (got[:, 0] == 0).all() and (got[:, 1:] != 0).all()


@pytest.mark.parametrize(("groups", "num_heads", "num_writes"), [(1, 1, 6), (1, 4, 8), (3, 1, 6)])
def test_values_have_half_the_features_rounded_up_to_whole_heads(groups, num_heads, num_writes):
    attention = attention_of(groups=groups, num_heads=num_heads)
    assert attention.num_writes == num_writes
    got = attention(randn(1, 2, 2, FEATURES), randn(1, 2, 2, INPUTS))
    assert got.shape == (1, 2, 2, num_writes)


def test_places_matter():
    attention, h = attention_of(), randn(1, 1, 1, FEATURES).expand(1, 2, 4, -1)
    newest = randn(1, 1, 1, INPUTS).expand(1, 2, 4, -1)
    flat = tokens_of(attention(h, newest), 1)[0]
    assert (flat[1:-1] - flat[2:]).abs().amax(1).min() > 1e-6


@torch.no_grad()
def test_a_walk_keeps_a_key_and_a_value_of_each_token():
    attention = attention_of(groups=3, num_heads=2)
    _, cursor = walked(attention, randn(2, 3, 4, FEATURES), randn(2, 3, 4, INPUTS))
    kept = cursor.caches[attention].key_values
    assert kept.keys.shape == (2, 2, 4, 3 * 4 * 3)
    assert kept.values.shape == (2, 2, 3 * 4 * 3, 1)
    # The last sub-pixel is never needed.
    assert (kept.keys != 0).any((0, 1, 2)).tolist() == [True] * 35 + [False]


def test_the_background_spans_any_size():
    for height, width in ((1, 1), (2, 7), (28, 28)):
        rows, columns = background(height, width, like=torch.zeros(1)).unbind(-1)
        assert rows[:, 0].tolist() == pytest.approx([r / height - 0.5 for r in range(height)])
        assert columns[0].tolist() == pytest.approx([c / width - 0.5 for c in range(width)])
        assert (rows == rows[:, :1]).all() and (columns == columns[:1]).all()


def test_joined_features_keep_to_their_colour():
    parts = [torch.tensor([[1, 2, 3]]), torch.tensor([[10, 11, 20, 21, 30, 31]])]
    assert join(parts, groups=3).tolist() == [[1, 10, 11, 2, 20, 21, 3, 30, 31]]
    assert join(parts, groups=1).tolist() == [[1, 2, 3, 10, 11, 20, 21, 30, 31]]
