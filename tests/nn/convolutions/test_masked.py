import pytest
import torch
import torch.nn.functional as F

from pixelcnn.nn import Cursor, MaskedConv2d
from pixelcnn.order import RasterOrder, WavefrontOrder


@pytest.mark.parametrize("kernel_size", [1, 3, 7, (1, 5), (5, 1), (3, 5)])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("groups", [1, 3])
@pytest.mark.parametrize("kind", ["A", "B"])
def test_whole_pass_is_the_padded_convolution_by_the_masked_weight(
    kind, kernel_size, dilation, groups
):
    conv = MaskedConv2d(kind, 6, 12, kernel_size, groups=groups, dilation=dilation).double()
    h = torch.randn(2, 9, 8, 6, dtype=torch.float64)
    height, width = conv.kernel_size
    plain = F.conv2d(
        h.permute(0, 3, 1, 2),
        conv.weight * conv.mask,
        conv.bias,
        padding=(height // 2 * dilation, width // 2 * dilation),
        dilation=dilation,
    )
    torch.testing.assert_close(conv(h), plain.permute(0, 2, 3, 1))


@pytest.mark.parametrize("kernel_size", [(1, 5), (5, 1), (3, 5)])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("groups", [1, 2])
def test_a_walk_equals_the_whole_pass_for_windows_that_are_not_square(
    kernel_size, dilation, groups
):
    conv = MaskedConv2d("B", 4, 6, kernel_size, groups=groups, dilation=dilation).double()
    h = torch.randn(2, 5, 7, 4, dtype=torch.float64)
    whole, planes = conv(h), h.permute(0, 3, 1, 2)
    for order in (RasterOrder(groups, 5, 7), WavefrontOrder(groups, 5, 7, lag=6)):
        cursor = Cursor(2, 5, 7, groups=groups, lag=order.lag)
        for front in order.fronts():
            cursor.move(front)
            fed = front.pixels_of(planes)[:, :, cursor.run(4)].flatten(0, 1)
            expected = front.pixels_of(whole.permute(0, 3, 1, 2))[:, :, cursor.run(6)]
            with torch.no_grad():
                torch.testing.assert_close(conv(fed, cursor), expected.flatten(0, 1))


def test_output_is_contiguous_channels_last():
    for channels in (1, 6):
        assert MaskedConv2d("B", channels, 12, 3)(torch.randn(2, 9, 8, channels)).is_contiguous()


def test_hidden_weights_get_no_gradient_and_stay_zero():
    conv = MaskedConv2d("A", 3, 6, 5, groups=3)
    optimiser = torch.optim.AdamW(conv.parameters(), lr=0.1)
    for _ in range(3):
        optimiser.zero_grad()
        conv(torch.randn(2, 5, 5, 3)).square().sum().backward()
        assert (conv.weight.grad[conv.mask == 0] == 0).all()
        optimiser.step()
    assert (conv.weight[conv.mask == 0] == 0).all()
    assert (optimiser.state[conv.weight]["exp_avg"][conv.mask == 0] == 0).all()
    assert (conv.weight[conv.mask == 1] != 0).any()


def test_the_mask_is_not_saved():
    assert set(MaskedConv2d("A", 1, 2, 3).state_dict()) == {"weight", "bias"}


def test_features_keep_their_scale_through_the_first_weights():
    # 24 of 49 taps are kept: drawing for 49 would halve the variance.
    conv = MaskedConv2d("A", 1, 64, 7)
    variance = conv(torch.randn(8, 20, 20, 1))[:, 6:, 6:-6].var()
    assert 0.8 < variance < 1.2
