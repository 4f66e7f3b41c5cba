import pytest
import torch
import torch.nn.functional as F

from pixelcnn.nn import GATE_GAIN, Cursor, HorizontalConv, MaskedConv2d, VerticalConv, gate
from pixelcnn.order import RasterOrder

H = torch.randn(2, 5, 7, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("kernel_size", [3, 5])
@pytest.mark.parametrize("dilation", [1, 2, 6])
@pytest.mark.parametrize("kind", ["A", "B"])
def test_a_vertical_pass_is_the_upper_half_of_a_padded_convolution(kind, kernel_size, dilation):
    conv = VerticalConv(kind, 4, 6, kernel_size, dilation=dilation).double()
    hidden_rows = kernel_size - conv.weight.shape[2]
    full = F.pad(conv.weight, (0, 0, 0, hidden_rows))
    reach = kernel_size // 2 * dilation
    plain = F.conv2d(H.permute(0, 3, 1, 2), full, conv.bias, padding=reach, dilation=dilation)
    torch.testing.assert_close(conv(H), plain.permute(0, 2, 3, 1))
    assert hidden_rows == kernel_size // 2 + (kind == "A")


@pytest.mark.parametrize("kernel_size", [3, 5])
@pytest.mark.parametrize("dilation", [1, 2, 6])
@pytest.mark.parametrize("kind", ["A", "B"])
@torch.no_grad()
def test_rows_one_after_another_equal_the_whole_pass(kind, kernel_size, dilation):
    conv = VerticalConv(kind, 4, 6, kernel_size, dilation=dilation).double()
    cursor, whole = Cursor(2, 5, 7), conv(H)
    fed = H if kind == "B" else F.pad(H, (0, 0, 0, 0, 1, 0))
    for row in range(5):
        torch.testing.assert_close(conv(fed[:, row], cursor), whole[:, row])


def test_vertical_output_is_contiguous_channels_last():
    for channels in (1, 6):
        assert VerticalConv("A", channels, 8, 3)(torch.randn(2, 9, 8, channels)).is_contiguous()


def test_vertical_features_keep_their_scale_through_gates():
    h = VerticalConv("A", 1, 128, 7)(torch.randn(4, 20, 20, 1))
    for _ in range(3):
        h = VerticalConv("B", 64, 128, 3, gain=GATE_GAIN)(gate(h))
    assert 0.7 < h[:, 8:, 8:-8].var() < 1.3


@pytest.mark.parametrize("kind", ["A", "B"])
def test_a_horizontal_pass_is_a_masked_convolution_on_top_of_its_context(kind):
    conv = HorizontalConv(kind, 4, 6, 3, groups=2, dilation=2).double()
    masked = MaskedConv2d(kind, 4, 6, (1, 3), groups=2, dilation=2).double()
    masked.load_state_dict(conv.conv.state_dict())
    context = torch.randn(2, 5, 7, 6, dtype=torch.float64)
    torch.testing.assert_close(conv(H, context), masked(H) + context)


@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("groups", [1, 2])
@torch.no_grad()
def test_sites_one_after_another_equal_the_horizontal_pass(dilation, groups):
    conv = HorizontalConv("B", 4, 6, 5, groups=groups, dilation=dilation).double()
    context = torch.randn(2, 5, 7, 6, dtype=torch.float64)
    cursor, whole = Cursor(2, 5, 7, groups=groups), conv(H, context)
    for front in RasterOrder(groups, 5, 7).fronts():
        cursor.move(front)
        site = conv(H[:, front.row, front.column, cursor.run(4)], context[:, front.row], cursor)
        torch.testing.assert_close(site, whole[:, front.row, front.column, cursor.run(6)])
