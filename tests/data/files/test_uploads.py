"""Images of unknown origin."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from pixelcnn.data.files.uploads import MAX_BYTES, read_map_upload, read_upload
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
    (b"only words", r"`a\.png` cannot be read as an image: it is no image"),
    (b"", "it is no image"),
    (saved(grey([[0, 50]]))[:40], "cannot be read as an image"),
    (
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n",
        "it is no image, or of an unknown format",
    ),
    (bytes(MAX_BYTES + 1), r"at most 10 MB, got 10\.0 MB"),
    (saved(Image.new("1", (6000, 6000))), "at most 25 million pixels, got 6,000×6,000"),
    (b"P5 20000 20000 255\n", "at most 25 million pixels, got far more"),
    (saved(FRAMES[0], "GIF", save_all=True, append_images=FRAMES[1:]), "got 2 frames"),
    (saved(grey([[np.nan]], "float32"), "TIFF"), "it holds floats"),
]


@pytest.mark.parametrize(("content", "reason"), REFUSED)
def test_what_is_no_image_is_refused(content, reason):
    with pytest.raises(DataError, match=reason):
        read_upload(content, "a.png", SPEC)


def test_models_of_other_channels_take_no_files():
    with pytest.raises(DataError, match="1 or 3 channels, and the model has 2"):
        read_upload(b"", "a.png", ImageSpec(2, 2, 2, 256))


def numpy_file(write, *arrays, **named):
    file = io.BytesIO()
    write(file, *arrays, **named)
    return file.getvalue()


def test_maps_are_read_from_npy_and_from_npz():
    maps = np.arange(24).reshape(3, 2, 2, 2)
    for content in (
        numpy_file(np.save, maps),
        numpy_file(np.savez, maps=maps),
        numpy_file(np.savez_compressed, maps=maps, other=np.ones(3)),
    ):
        found = read_map_upload(content, "maps", 2)
        assert found.dtype == torch.float32 and (found.numpy() == maps).all()
    assert read_map_upload(numpy_file(np.save, maps[0]), "one", 2).shape == (1, 2, 2, 2)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"only words", "cannot be read as maps"),
        (b"", "cannot be read as maps"),
        (numpy_file(np.savez, other=np.ones(3)), "cannot be read as maps"),
        (
            numpy_file(np.save, np.ones((3, 5, 4, 4))),
            r"\(N, 2, H, W\).* got float64",
        ),
        (numpy_file(np.save, np.ones((0, 2, 4, 4))), "must hold numbers"),
        (numpy_file(np.save, np.array("words")), "must hold numbers"),
        (numpy_file(np.save, np.full((1, 2, 4, 4), 1e300)), "finite 32-bit numbers"),
        (numpy_file(np.savez_compressed, maps=np.zeros((2, 3000, 3000))), "at most 67,108,864"),
        (bytes(MAX_BYTES + 1), "at most 10 MB"),
    ],
)
def test_what_holds_no_maps_is_refused_in_words(content, words):
    with pytest.raises(DataError, match=words):
        read_map_upload(content, "file", 2)


def test_maps_are_not_unpickled():
    content = numpy_file(np.save, np.array([print], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="allow_pickle=False"):
        read_map_upload(content, "file", 2)
