import pytest
import torch

from pixelcnn.errors import ConfigError
from pixelcnn.nn import raster_mask


def test_a_hides_the_centre_and_b_shows_it():
    first, later = (raster_mask(kind, 1, 1, (3, 3))[0, 0] for kind in ("A", "B"))
    assert first.tolist() == [[1, 1, 1], [1, 0, 0], [0, 0, 0]]
    assert later.tolist() == [[1, 1, 1], [1, 1, 0], [0, 0, 0]]


def test_colours_see_earlier_colours_at_the_centre():
    centre = raster_mask("B", 6, 3, (3, 3), groups=3)[:, :, 1, 1]
    assert centre.tolist() == [[1, 0, 0]] * 2 + [[1, 1, 0]] * 2 + [[1, 1, 1]] * 2


def test_all_colours_of_earlier_pixels_are_seen():
    mask = raster_mask("A", 3, 3, (3, 3), groups=3)
    assert torch.equal(mask[:, :, 0], torch.ones(3, 3, 3))
    assert torch.equal(mask[:, :, 1, 0], torch.ones(3, 3))


@pytest.mark.parametrize(
    ("kind", "channels", "kernel", "groups", "word"),
    [("C", 1, 3, 1, "kind"), ("A", 1, 2, 1, "odd"), ("A", 4, 3, 3, "colour groups")],
)
def test_what_cannot_be_masked_is_refused(kind, channels, kernel, groups, word):
    with pytest.raises(ConfigError, match=word):
        raster_mask(kind, channels, channels, (kernel, kernel), groups=groups)
