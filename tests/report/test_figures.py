"""The pictures of a report show what their captions say."""

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from pixelcnn.inference import known_mask
from pixelcnn.plots import image_grid, mark_unknown, save_png
from pixelcnn.report.figures import strip_of
from tests.report.made import COUNT

SCALE = 6  # of images of 8×8 on a screen


@pytest.fixture
def shown(pictures):
    """The pixels of a picture, (height, width) of grey ones."""

    def of(name: str) -> np.ndarray:
        (png,) = (picture.png for picture in pictures if picture.name == name)
        with Image.open(io.BytesIO(png)) as picture:
            return np.asarray(picture)

    return of


def ends_with(picture: np.ndarray, grid: np.ndarray) -> bool:
    """Whether a grid is all of a picture but the names to its left."""
    grid = grid[:, :, 0] if picture.ndim == 2 else grid
    return np.array_equal(picture[:, -grid.shape[1] :], grid)


def test_test_images_stand_above_the_samples_of_each_model(found, shown, data):
    sets = [data.test.images[:32], *(measured.samples.x[:32] for measured in found.measured)]
    grid = image_grid(torch.cat([x.long() for x in sets]), 17, columns=16, scale=SCALE)
    assert ends_with(shown("samples"), grid)


def test_rows_of_labels_are_in_their_order(found, shown):
    samples = found.measured[1].samples
    few = [label for label in range(10) if (samples.cond == label).sum() >= 8]
    assert len(few) >= 3
    x = torch.cat([samples.x[samples.cond == label][:8] for label in few])
    picture = shown("labels")
    grid = image_grid(x, 17, columns=8, scale=SCALE)
    assert ends_with(picture[: len(grid), :-16], grid)  # beside it there is room for another model


def test_completions_stand_below_the_test_image_and_its_known_half(found, shown, data):
    x = data.test.images[:COUNT][found.shown].long()
    known = known_mask("bottom", (1, 8, 8))
    assert known[:, :4].all() and not known[:, 4:].any()
    rows = [
        mark_unknown(x, torch.ones_like(known), 17),
        mark_unknown(x * known, known, 17, touch=1),
    ]
    for measured in found.measured:
        for each in measured.completions.unbind(1):
            assert torch.equal(each[:, :, :4], x[:, :, :4])
            rows.append(mark_unknown(each, torch.ones_like(known), 17))
    grid = image_grid(torch.cat(rows), 256, columns=10, scale=SCALE)
    assert ends_with(shown("completions"), grid)


def test_samples_during_training_go_from_left_to_right_in_whole_images(variants, tmp_path):
    grids = {}
    for epoch in (20, 3, 100):
        x = torch.full((25, 1, 8, 8), epoch % 17)
        grids[epoch] = tmp_path / f"{epoch}.png"
        save_png(grids[epoch], image_grid(x, 17, columns=5, scale=SCALE))
    strip = strip_of(replace(variants[0], grids=grids))
    assert list(strip) == [3, 20, 100]
    for epoch, corner in strip.items():
        expected = image_grid(torch.full((16, 1, 8, 8), epoch % 17), 17, columns=4, scale=SCALE)
        assert np.array_equal(corner, expected)
    many = dict.fromkeys(range(1, 41), grids[3])
    assert list(strip_of(replace(variants[0], grids=many)))[:2] == [1, 5]
    assert len(strip_of(replace(variants[0], grids=many))) == 10
