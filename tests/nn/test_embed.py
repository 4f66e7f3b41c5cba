import torch

from pixelcnn.nn import Cursor, PixelInput, with_ones
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


def test_each_channel_has_the_learned_features_of_its_level_in_one_run():
    read = PixelInput(2, 5, embedding_dim=3)
    x = torch.tensor([[[[0, 1]], [[4, 4]]]])
    vectors = read.vectors.weight
    expected = torch.stack([vectors[[0, 4]].flatten(), vectors[[1, 4]].flatten()])
    assert read.num_features == 6
    assert torch.equal(read(x)[0, 0], expected)
    assert torch.equal(read(x.to(torch.uint8)), read(x))


def test_a_walk_is_fed_learned_features_too():
    x = torch.arange(12).view(1, 2, 2, 3)
    for groups in (1, 2):
        read = PixelInput(2, 12, groups=groups, embedding_dim=3)
        cursor = Cursor(1, 2, 3, groups=groups)
        cursor.move(Front(0, 0, 0))
        cursor.move(Front(0, 0, 1))
        assert torch.equal(read(x, cursor)[0], read(x)[0, 0, 0, : 6 // groups])
        assert torch.equal(read.row_above(x, cursor), torch.zeros(1, 3, 6))
        cursor.move(Front(0, 1, 0))
        assert torch.equal(read.row_above(x, cursor), read(x)[:, 0])


def test_no_level_looks_like_the_border():
    assert (PixelInput(1, 512, embedding_dim=4).vectors.weight.abs().amax(1) > 0).all()


def test_only_levels_that_were_read_are_learned():
    read = PixelInput(1, 512, embedding_dim=4)
    read(torch.tensor([[[[7, 511]]]])).sum().backward()
    assert read.vectors.weight.grad.abs().sum(1).nonzero().flatten().tolist() == [7, 511]


def test_ones_stand_in_every_colour_group_inside_the_image_only():
    h = torch.arange(2.0, 8.0).view(1, 6)
    assert with_ones(h).tolist() == [[2, 3, 4, 5, 6, 7, 1]]
    assert with_ones(h, groups=3).tolist() == [[2, 3, 1, 4, 5, 1, 6, 7, 1]]
    assert with_ones(h, groups=3, inside=False).tolist() == [[2, 3, 0, 4, 5, 0, 6, 7, 0]]
