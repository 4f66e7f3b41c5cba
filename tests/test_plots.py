"""Pictures show their images, and keep notes of how they were made."""

import numpy as np
import pytest
import torch
from PIL import Image

from pixelcnn.errors import ConfigError, ShapeError
from pixelcnn.plots import (
    frame_strip,
    image_grid,
    mark_unknown,
    name_rows,
    save_gif,
    save_png,
    screen_scale,
)


def test_images_run_from_the_top_left_in_rows():
    x = torch.arange(4).reshape(4, 1, 1, 1)
    assert image_grid(x, 256, columns=2, pad=0)[:, :, 0].tolist() == [[0, 1], [2, 3]]


def test_an_incomplete_row_is_filled_with_white():
    grid = image_grid(torch.zeros(3, 1, 1, 1, dtype=torch.int64), 2, columns=2, pad=0)
    assert grid[:, :, 0].tolist() == [[0, 0], [0, 255]]


@pytest.mark.parametrize("levels", [2, 17, 256, 65_536])
def test_the_levels_span_black_to_white(levels):
    x = torch.tensor([0, levels - 1]).reshape(1, 1, 1, 2)
    assert image_grid(x, levels, pad=0)[:, :, 0].tolist() == [[0, 255]]


def test_colour_stays_in_its_channel():
    x = torch.tensor([10, 20, 30]).reshape(1, 3, 1, 1)
    assert image_grid(x, 256, pad=0).tolist() == [[[10, 20, 30]]]


def test_channels_other_than_one_or_three_stand_side_by_side():
    x = torch.tensor([10, 20]).reshape(1, 2, 1, 1)
    assert image_grid(x, 256, pad=0)[:, :, 0].tolist() == [[10, 20]]


def test_scale_repeats_pixels_and_pad_surrounds_them():
    x = torch.zeros(1, 1, 1, 1, dtype=torch.uint8)
    grid = image_grid(x, 2, scale=2, pad=1)
    expected = np.full((4, 4), 255)
    expected[1:3, 1:3] = 0
    assert (grid[:, :, 0] == expected).all()
    assert grid.dtype == np.uint8


def test_grids_are_as_square_as_possible():
    assert image_grid(torch.zeros(10, 1, 1, 1).long(), 2, pad=0).shape == (3, 4, 1)


@pytest.mark.parametrize("shape", [(4, 4), (0, 1, 4, 4)])
def test_other_shapes_than_batches_of_images_are_refused(shape):
    with pytest.raises(ShapeError, match="N > 0"):
        image_grid(torch.zeros(shape).long(), 2)


def test_levels_out_of_range_are_refused():
    with pytest.raises(ShapeError, match="levels"):
        image_grid(torch.full((1, 1, 2, 2), 5), 2)


@pytest.mark.parametrize("option", [{"columns": 0}, {"scale": 0}, {"pad": -1}])
def test_impossible_layouts_are_refused(option):
    with pytest.raises(ConfigError, match="at least"):
        image_grid(torch.zeros(1, 1, 2, 2).long(), 2, **option)


@pytest.mark.parametrize("channels", [1, 3])
def test_names_are_written_beside_their_row(channels):
    grid = image_grid(torch.zeros(4, channels, 8, 8).long(), 2, columns=2, scale=4)
    named = name_rows(grid, ["one", "two"])
    margin = named[:, : named.shape[1] - grid.shape[1]]
    assert (named[:, margin.shape[1] :] == grid).all()
    for row in np.split(margin, 2):
        assert row.min() < 128, "a name is missing"
        assert row[:, -1].min() == 255, "a name touches its images"


def test_small_images_are_enlarged_and_large_ones_are_not():
    assert [screen_scale(side, side) for side in (1, 8, 32, 48, 500)] == [48, 6, 2, 1, 1]


@pytest.mark.parametrize("channels", [1, 3])
def test_a_png_returns_its_pixels_and_its_notes(tmp_path, channels):
    grid = image_grid(torch.randint(256, (4, channels, 5, 3)), 256)
    save_png(tmp_path / "a.png", grid, text={"Software": "pixelcnn", "label": "日本"})
    with Image.open(tmp_path / "a.png") as image:
        assert (np.asarray(image).reshape(grid.shape) == grid).all()
        assert image.text == {"Software": "pixelcnn", "label": "日本"}


def test_a_frame_strip_shows_each_image_in_a_row_of_its_own():
    frames = torch.tensor([[0, 10], [1, 11], [2, 12]]).reshape(3, 2, 1, 1, 1)
    assert frame_strip(frames, 256, pad=0)[:, :, 0].tolist() == [[0, 1, 2], [10, 11, 12]]
    with pytest.raises(ShapeError, match="frame strip"):
        frame_strip(frames[0], 256)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_gif_shows_its_frames_in_order_and_holds_the_last(tmp_path, channels):
    frames = [np.full((4, 5, channels), level, dtype=np.uint8) for level in (0, 128, 255)]
    save_gif(tmp_path / "a.gif", frames, milliseconds=50)
    with Image.open(tmp_path / "a.gif") as image:
        assert image.n_frames == 3 and image.info["loop"] == 0
        for number, (frame, time) in enumerate(zip(frames, (50, 50, 1050), strict=True)):
            image.seek(number)
            assert (np.asarray(image.convert("RGB")) == frame).all()
            assert image.info["duration"] == time


@pytest.mark.parametrize(("count", "milliseconds"), [(0, 100), (1, 5)])
def test_a_gif_without_frames_or_duration_is_refused(tmp_path, count, milliseconds):
    with pytest.raises(ConfigError, match="GIF"):
        save_gif(
            tmp_path / "a.gif", [np.zeros((1, 1, 1), np.uint8)] * count, milliseconds=milliseconds
        )


def test_only_unknown_pixels_are_tinted():
    mean = torch.rand(2, 3, 1, 4, 5)
    known = torch.arange(5) < 2
    x = mark_unknown(mean, known.expand(1, 4, 5), 2)
    assert x.shape == (2, 3, 3, 4, 5)
    assert (x[..., :2].amax(2) == x[..., :2].amin(2)).all()
    assert (x[:, :, 2, :, 2:] > x[:, :, 0, :, 2:]).all()
    colours = torch.rand(3, 2, 2)
    whole = mark_unknown(colours, torch.ones(3, 2, 2).bool(), 2)
    assert torch.equal(whole, (colours.double() * 255).round().long())
