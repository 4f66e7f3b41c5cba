import pytest
import torch
import torch.nn.functional as F

from pixelcnn.nn import Cursor, DownConv, DownRightConv
from pixelcnn.order import RasterOrder

H = torch.randn(2, 5, 7, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def seen_by(conv, at, size=(9, 9)):
    """(rows, columns) from `at` of the pixels that the output there depends on."""
    h = torch.randn(1, *size, conv.direction.shape[1], requires_grad=True)
    conv(h)[0, at[0] // conv.stride, at[1] // conv.stride].sum().backward()
    return {(r - at[0], c - at[1]) for r, c in h.grad[0].abs().sum(-1).nonzero().tolist()}


@pytest.mark.parametrize("stride", [1, 2])
def test_a_window_ends_at_the_own_row_or_pixel(stride):
    rows = {(r, c) for r in (-1, 0) for c in (-1, 0, 1)}
    assert seen_by(DownConv(2, 3, stride=stride), (4, 4)) == rows
    assert seen_by(DownRightConv(2, 3, stride=stride), (4, 4)) == {
        (-1, -1),
        (-1, 0),
        (0, -1),
        (0, 0),
    }


def test_kind_a_hides_the_own_pixel_but_for_earlier_colours():
    past = {(-1, -1), (-1, 0), (0, -1)}
    assert seen_by(DownRightConv(2, 4, kind="A"), (4, 4)) == past
    assert seen_by(DownRightConv(2, 4, kind="A", groups=2), (4, 4)) == past | {(0, 0)}


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 6), (8, 8)])
@pytest.mark.parametrize("conv", [DownConv, DownRightConv])
def test_any_size_is_halved_upwards(conv, size):
    out = conv(1, 2, stride=2)(torch.zeros(3, *size, 1))
    assert out.shape == (3, -(-size[0] // 2), -(-size[1] // 2), 2)
    assert out.is_contiguous()


def test_one_pixel_windows_are_linear_layers():
    for conv in (DownConv(6, 4, (1, 1)), DownRightConv(6, 4, (1, 1), groups=2)):
        conv.double()
        expected = F.linear(H, conv.weight()[:, :, 0, 0], conv.bias)
        torch.testing.assert_close(conv(H), expected)


@pytest.mark.parametrize("kernel_size", [(2, 3), (1, 3), (3, 5), (1, 1)])
@torch.no_grad()
def test_rows_one_after_another_equal_the_whole_pass(kernel_size):
    conv = DownConv(6, 4, kernel_size).double()
    cursor, whole = Cursor(2, 5, 7), conv(H)
    for row in range(5):
        torch.testing.assert_close(conv(H[:, row], cursor), whole[:, row])


@pytest.mark.parametrize("kernel_size", [(2, 2), (1, 2), (2, 1), (3, 4), (1, 1)])
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("kind", ["A", "B"])
@torch.no_grad()
def test_sites_one_after_another_equal_the_whole_pass(kernel_size, groups, kind):
    conv = DownRightConv(6, 4, kernel_size, groups=groups, kind=kind).double()
    conv.bias.copy_(torch.arange(4))
    cursor, whole = Cursor(2, 5, 7, groups=groups), conv(H)
    newest = None
    for front in RasterOrder(groups, 5, 7).fronts():
        cursor.move(front)
        own = H[:, front.row, front.column, cursor.run(6)]
        site = conv(own if kind == "B" else newest, cursor)
        torch.testing.assert_close(site, whole[:, front.row, front.column, cursor.run(4)])
        newest = own


@pytest.mark.parametrize("groups", [1, 2])
@torch.no_grad()
def test_a_strided_walk_works_at_every_second_row_and_column(groups):
    rows = DownConv(6, 4, stride=2).double()
    sites = DownRightConv(6, 4, groups=groups, stride=2).double()
    cursor, whole_rows, whole_sites = Cursor(2, 5, 7, groups=groups), rows(H), sites(H)
    for front in RasterOrder(groups, 5, 7).fronts():
        cursor.move(front)
        if cursor.index == 0 and front.row % 2 == 1:
            rows.keep(H[:, front.row], cursor)
        elif cursor.index == 0:
            found = rows(H[:, front.row], cursor)
            torch.testing.assert_close(found, whole_rows[:, front.row // 2])
        own = H[:, front.row, front.column, cursor.run(6)]
        if not cursor.has_work(2):
            sites.keep(own, cursor)
            continue
        expected = whole_sites[:, front.row // 2, front.column // 2, cursor.run(4)]
        torch.testing.assert_close(sites(own, cursor), expected)
