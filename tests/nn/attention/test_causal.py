import pytest
import torch

from pixelcnn.nn import CausalAttention, Cursor
from pixelcnn.nn.attention.causal import coordinates
from pixelcnn.order import RasterOrder

EITHER = pytest.mark.parametrize("strict", [False, True])
COLOURS = pytest.mark.parametrize("groups", [1, 3])


def randn(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, dtype=torch.float64, generator=generator)


def attention_of(*, groups=1, strict=False, num_heads=2, features=12):
    torch.manual_seed(0)
    attention = CausalAttention(features, 3, num_heads=num_heads, groups=groups, strict=strict)
    return attention.double()


def tokens_of(features, groups):
    """(B, H, W, D) as tokens in raster order. (B, H × W × groups, D / groups)."""
    return features.reshape(len(features), -1, features.shape[-1] // groups)


def walked(attention, h, newest):
    """The output of a walk, as that of a whole pass."""
    batch, height, width, features = h.shape
    groups, out = attention.groups, torch.full_like(h, float("nan"))
    cursor, known = Cursor(batch, height, width, groups=groups), tokens_of(newest, groups)
    for token, front in enumerate(RasterOrder(groups, height, width).fronts()):
        cursor.move(front)
        run = cursor.run(features)
        fed = known[:, token - 1] if token else None
        out[:, front.row, front.column, run] = attention(
            h[:, front.row, front.column, run], fed, cursor
        )
    return out, cursor


@EITHER
@COLOURS
@pytest.mark.parametrize("num_heads", [1, 2, 5])
@pytest.mark.parametrize("size", [(3, 4), (1, 5), (4, 1), (1, 1)])
@torch.no_grad()
def test_a_walk_equals_the_whole_pass(strict, groups, num_heads, size):
    attention = attention_of(strict=strict, groups=groups, num_heads=num_heads)
    h, newest = randn(2, *size, 12), randn(2, *size, 3, seed=1)
    whole = attention(h, newest)
    assert whole.isfinite().all()
    torch.testing.assert_close(walked(attention, h, newest)[0], whole)


@EITHER
@COLOURS
def test_a_token_sees_exactly_the_tokens_before_and_what_is_known_there(strict, groups):
    attention = attention_of(strict=strict, groups=groups)
    h, newest = randn(4, 2, 3, 12).requires_grad_(), randn(4, 2, 3, 3, seed=1).requires_grad_()
    outputs = tokens_of(attention(h, newest), groups) @ randn(12 // groups, seed=2)
    for token, output in enumerate(outputs.sum(0)):
        by_h, by_newest = torch.autograd.grad(output, [h, newest], retain_graph=True)
        reads = tokens_of(by_h, groups).abs().amax((0, 2)) > 0
        knows = tokens_of(by_newest, groups).abs().amax((0, 2)) > 0
        assert reads[: token + 1].all() and not reads[token + 1 :].any()
        assert knows[:token].all() and not knows[token:].any()


@COLOURS
def test_the_first_token_gets_zeros_where_only_earlier_ones_are_seen(groups):
    attention = attention_of(strict=True, groups=groups)
    attended = []
    attention.write.register_forward_pre_hook(lambda _, inputs: attended.append(inputs[0]))
    attention(randn(2, 2, 2, 12), randn(2, 2, 2, 3))
    walked(attention.requires_grad_(False), randn(2, 2, 2, 12), randn(2, 2, 2, 3))
    for features in (attended[0][:, 0, 0, : attended[1].shape[1]], attended[1]):
        assert (features == 0).all()
    assert (attended[2] != 0).all()


@COLOURS
def test_equal_scores_give_the_mean_of_all_values_so_far(groups):
    attention = attention_of(groups=groups).requires_grad_(False)
    attention.place.weight.zero_()
    for group in attention.read.weight.chunk(groups):
        group[: len(group) // 3] = 0  # no query asks for anything
    h, newest = randn(2, 3, 4, 12), torch.zeros(2, 3, 4, 3, dtype=torch.float64)
    read = tokens_of(attention.read(attention.norm(h)), groups)
    values = read[:, :, -read.shape[2] // 3 :]
    count = torch.arange(1, read.shape[1] + 1)[:, None]
    means = (values.cumsum(1) / count).reshape(2, 3, 4, -1)
    torch.testing.assert_close(attention(h, newest), h + attention.write(means))


def test_places_matter():
    attention, h, newest = attention_of(), randn(1, 2, 3, 12), randn(1, 2, 3, 3)
    swapped = h[:, :, [1, 0, 2]], torch.zeros_like(newest)
    last = attention(h, swapped[1])[0, -1, -1], attention(*swapped)[0, -1, -1]
    assert (last[0] - last[1]).abs().max() > 1e-4


def test_no_two_pixels_of_a_large_image_have_the_same_place():
    (row,) = coordinates(1, 512, like=torch.zeros(1))
    distances = torch.cdist(row, row).fill_diagonal_(9)
    assert distances.min() > 0.01
    places = coordinates(3, 4, like=torch.zeros(1))
    assert places.flatten(0, 1).unique(dim=0).shape == (12, 32)


def test_the_weights_serve_any_size():
    attention = attention_of()
    for size in ((2, 2), (9, 5), (1, 40)):
        assert attention(randn(1, *size, 12), randn(1, *size, 3)).shape == (1, *size, 12)


@COLOURS
@torch.no_grad()
def test_a_walk_keeps_two_feature_maps(groups):
    attention = attention_of(groups=groups)
    _, cursor = walked(attention, randn(2, 3, 4, 12), randn(2, 3, 4, 3))
    kept = cursor.caches[attention].key_values
    assert kept.keys.numel() + kept.values.numel() == 2 * 2 * 3 * 4 * 12


def test_dropout_acts_on_what_is_added_in_training_only():
    attention = CausalAttention(12, 3, num_heads=2, dropout=0.5)
    h, newest = torch.randn(1, 4, 4, 12), torch.randn(1, 4, 4, 3)
    kept = (attention(h, newest) != h).float().mean()
    assert 0.3 < kept < 0.7
    assert (attention.eval()(h, newest) != h).all()
