import torch

from pixelcnn.nn import Cursor, PixelInput
from pixelcnn.order import Front


def test_levels_become_channels_last_floats_around_zero():
    x = torch.tensor([[[[0, 1]], [[2, 4]]]])
    assert PixelInput(2, 5)(x).tolist() == [[[[-1.0, 0.0], [-0.5, 1.0]]]]


def test_features_follow_the_dtype_of_the_module():
    assert PixelInput(1, 2).double()(torch.zeros(1, 1, 1, 1)).dtype == torch.float64


def test_a_walk_is_fed_the_newest_pixel_or_sub_pixel():
    x = torch.arange(12).view(1, 2, 2, 3)
    for groups, fed in ((1, [0, 6]), (2, [0])):
        cursor = Cursor(1, 2, 3, groups=groups)
        assert PixelInput(2, 12, groups=groups)(x, cursor) is None
        cursor.move(Front(0, 0, 0))
        cursor.move(Front(0, 0, 1))
        features = PixelInput(2, 12, groups=groups)(x, cursor)
        torch.testing.assert_close(features, torch.tensor([fed]) * 2 / 11 - 1)


def test_the_row_above_is_known_in_full_and_nothing_above_the_first():
    x = torch.arange(12).view(1, 2, 2, 3)
    cursor, read = Cursor(1, 2, 3), PixelInput(2, 12)
    assert torch.equal(read.row_above(x, cursor), torch.zeros(1, 3, 2))
    cursor.move(Front(0, 1, 0))
    torch.testing.assert_close(read.row_above(x, cursor), read(x)[:, 0])
