import numpy as np
import pytest
import torch
from PIL import Image

from pixelcnn.errors import ConfigError, DataError, ShapeError
from pixelcnn.inference import fit_mask, is_prefix, known_mask, known_masks

SHAPE = (3, 4, 6)


def missing(word, shape=SHAPE, **options):
    """Missing pixels (H, W); the same in all channels."""
    known = known_mask(word, shape, **options)
    assert known.shape == shape and known.dtype == torch.bool
    assert (known == known[:1]).all()
    return ~known[0]


def box(rows, columns, size=SHAPE[1:]):
    mask = torch.zeros(size, dtype=torch.bool)
    mask[rows, columns] = True
    return mask


@pytest.mark.parametrize(
    ("word", "rows", "columns"),
    [
        ("bottom", slice(2, 4), slice(None)),
        ("top", slice(0, 2), slice(None)),
        ("left", slice(None), slice(0, 3)),
        ("right", slice(None), slice(3, 6)),
        ("center", slice(1, 3), slice(1, 4)),
        ("bottom:0.25", slice(3, 4), slice(None)),
        ("right:1", slice(None), slice(None)),
        ("all", slice(None), slice(None)),
        ("none", slice(0, 0), slice(None)),
        ("1:3,2:5", slice(1, 3), slice(2, 5)),
        (":,4:", slice(None), slice(4, 6)),
    ],
)
def test_names_of_masks(word, rows, columns):
    assert torch.equal(missing(word), box(rows, columns))


def test_a_share_of_the_pixels_is_missing_at_random():
    first = missing("random:0.25")
    assert first.sum() == 6
    assert torch.equal(missing("random:0.25"), first)
    assert not torch.equal(missing("random:0.25", seed=1), first)
    assert not torch.equal(missing("random:0.25", number=1), first)
    assert missing("random").sum() == 12
    often = sum(missing("random", seed=seed).double() for seed in range(400)) / 400
    assert (often - 0.5).abs().max() < 0.13  # 5.2 standard deviations, of 24 pixels: 5e-6


def test_images_of_a_batch_have_their_own_masks():
    known = known_masks(["bottom", "random", "random"], (3, *SHAPE))
    assert torch.equal(known[0], known_mask("bottom", SHAPE))
    assert not torch.equal(known[1], known[2])
    assert torch.equal(known_masks("top", (2, *SHAPE))[1], known_mask("top", SHAPE))
    with pytest.raises(ConfigError, match="one for each of 3, got 2"):
        known_masks(["top", "left"], (3, *SHAPE))


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (np.eye(4, dtype=np.uint8), "got values from 0 to 1\\. Multiply a mask of 0 and 1 by 255"),
        (np.full((4, 4), 200, np.uint8), "got values from 200 to 200"),
        (np.full((4, 4, 2), 9, np.uint8), "Its transparency is not read"),
    ],
)
def test_a_file_that_hides_nothing_or_everything_is_refused(tmp_path, pixels, words):
    Image.fromarray(pixels).save(tmp_path / "mask.png")
    with pytest.raises(DataError, match=words):
        known_mask(tmp_path / "mask.png", (1, 4, 4))


def test_white_of_an_image_file_is_missing(tmp_path):
    path = tmp_path / "mask.png"
    Image.fromarray(box(slice(1, 2), slice(0, 5)).numpy()).save(path)
    assert torch.equal(missing(path), box(slice(1, 2), slice(0, 5)))
    assert torch.equal(missing(str(path)), missing(path))
    with pytest.raises(DataError, match="4 rows and 5 columns"):
        known_mask(path, (1, 4, 5))
    (tmp_path / "text.png").write_text("not an image")
    with pytest.raises(DataError, match="cannot be read"):
        known_mask(tmp_path / "text.png", SHAPE)


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("middle", "no such file"),
        ("", "no such file"),
        (None, "`None` is no mask"),
        (".", "this is a folder"),
        ("random:2", "above 0 and at most 1"),
        ("top:0", "above 0 and at most 1"),
        ("top:half", "above 0 and at most 1"),
        ("top:", "above 0 and at most 1"),
        ("random:nan", "above 0 and at most 1"),
        ("2:2,0:3", "rows of the rectangle"),
        ("0:2,3:9", "columns of the rectangle"),
    ],
)
def test_other_words_are_refused(word, says):
    with pytest.raises(ConfigError, match=says):
        known_mask(word, SHAPE)


def test_masks_are_fitted_to_a_batch():
    x = torch.zeros(2, *SHAPE, dtype=torch.int64)
    plane = known_mask("top", SHAPE)[0]
    for known in (plane, plane.expand(SHAPE), plane.expand(x.shape)):
        assert torch.equal(fit_mask(known, x), plane.expand(x.shape))
    with pytest.raises(ShapeError, match=r"\(4, 6\), \(3, 4, 6\), \(2, 3, 4, 6\), got \(1, 4, 6\)"):
        fit_mask(plane[None], x)
    with pytest.raises(ShapeError, match="booleans"):
        fit_mask(plane.int(), x)


def test_a_prefix_is_known_before_everything_unknown():
    known = torch.zeros(5, 2, 2, 2, dtype=torch.bool)
    known[1] = True
    known[2, :, 0] = True
    known[3, 0, 0, 0] = True  # the first channel of the first pixel
    known[4, 1, 0, 0] = True  # the second channel without the first
    assert is_prefix(known).tolist() == [True, True, True, True, False]
