import pytest
import torch
import torch.nn.functional as F

from pixelcnn.nn import Cursor, DownRightTransposed, DownTransposed
from pixelcnn.order import RasterOrder

LOW = torch.randn(2, 3, 4, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
SIZES = [(6, 8), (5, 8), (6, 7), (5, 7)]


def plain(conv, left, size):
    """torch's own transposed convolution, its first `left` columns cut off."""
    weight = conv.weight().transpose(0, 1)
    full = F.conv_transpose2d(LOW.permute(0, 3, 1, 2), weight, conv.bias, stride=2)
    return full.permute(0, 2, 3, 1)[:, : size[0], left : left + size[1]]


@pytest.mark.parametrize("size", SIZES)
def test_a_pass_is_a_transposed_convolution(size):
    down, right = DownTransposed(6, 4).double(), DownRightTransposed(6, 4, groups=2).double()
    torch.testing.assert_close(down(LOW, size), plain(down, 1, size))
    torch.testing.assert_close(right(LOW, size), plain(right, 0, size))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("groups", [1, 2])
@torch.no_grad()
def test_a_walk_equals_the_whole_pass(size, groups):
    down, right = DownTransposed(6, 4).double(), DownRightTransposed(6, 4, groups=groups).double()
    for conv in (down, right):
        conv.bias.copy_(torch.arange(4))
    cursor, rows, sites = Cursor(2, *size, groups=groups), down(LOW, size), right(LOW, size)
    for front in RasterOrder(groups, *size).fronts():
        cursor.move(front)
        low = LOW[:, front.row // 2]
        if cursor.index == 0:
            torch.testing.assert_close(down(low, size, cursor), rows[:, front.row])
        expected = sites[:, front.row, front.column, cursor.run(4)]
        torch.testing.assert_close(right(low, size, cursor), expected)


def test_where_a_coarser_pixel_stands_its_later_colours_are_hidden():
    low = LOW.clone().requires_grad_()
    conv = DownRightTransposed(6, 4, groups=2).double()
    for row, column in ((2, 2), (2, 3), (3, 2), (3, 3)):
        (gradient,) = torch.autograd.grad(conv(low, (6, 8))[0, row, column, :2].sum(), low)
        assert (gradient[0, 1, 1, :3] != 0).all()
        assert (gradient[0, 1, 1, 3:] == 0).all() == ((row, column) == (2, 2))
