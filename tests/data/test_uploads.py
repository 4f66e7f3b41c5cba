"""Images of unknown origin."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from pixelcnn.data.uploads import MAX_BYTES, read_upload
from pixelcnn.errors import DataError
from pixelcnn.spec import ImageSpec

SPEC = ImageSpec(1, 2, 2, 256)


def saved(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def grey(values, mode="uint8"):
    return Image.fromarray(np.array(values, dtype=mode))


def test_an_image_keeps_its_levels():
    content = saved(grey([[0, 50], [100, 255]]))
    assert read_upload(content, "a.png", SPEC).tolist() == [[[[0, 50], [100, 255]]]]


def test_levels_are_those_of_the_model():
    content = saved(grey([[0, 127], [128, 255]]))
    found = read_upload(content, "a.png", ImageSpec(3, 2, 2, 2))
    assert torch.equal(found, torch.tensor([[0, 0], [1, 1]]).transpose(0, 1).T.expand(1, 3, 2, 2))


def test_sixteen_bits_are_rounded_and_not_cut_off():
    content = saved(grey([[0, 257], [32896, 65535]], "uint16"))
    assert read_upload(content, "a.png", SPEC).flatten().tolist() == [0, 1, 128, 255]


def test_transparent_pixels_are_white():
    content = saved(Image.new("RGBA", (2, 2), (0, 0, 0, 0)))
    assert read_upload(content, "a.png", SPEC).eq(255).all()


def test_images_are_turned_as_their_orientation_says():
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    content = saved(grey([[0, 0], [255, 255]]), "PNG", exif=exif)
    assert read_upload(content, "a.png", SPEC).tolist() == [[[[255, 255], [0, 0]]]]


FRAMES = [Image.new("L", (2, 2), level) for level in (0, 9)]
REFUSED = [
    (b"only words", r"`a\.png` cannot be read as an image: it is none"),
    (b"", "it is none"),
    (saved(grey([[0, 50]]))[:40], "cannot be read as an image"),
    (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n", "it is none, or of another kind"),
    (bytes(MAX_BYTES + 1), r"at most 10 MB, got 10\.0 MB"),
    (saved(Image.new("1", (6000, 6000))), "at most 25 million pixels, got 6,000×6,000"),
    (saved(FRAMES[0], "GIF", save_all=True, append_images=FRAMES[1:]), "got 2 frames"),
    (saved(grey([[np.nan]], "float32"), "TIFF"), "it holds floats"),
]


@pytest.mark.parametrize(("content", "reason"), REFUSED)
def test_what_is_no_picture_is_refused_in_words(content, reason):
    with pytest.raises(DataError, match=reason):
        read_upload(content, "a.png", SPEC)


def test_models_of_other_channels_take_no_files():
    with pytest.raises(DataError, match="1 or 3 channels, and the model has 2"):
        read_upload(b"", "a.png", ImageSpec(2, 2, 2, 256))
