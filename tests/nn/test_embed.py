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
