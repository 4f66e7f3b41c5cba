"""Files become levels without loss, or are refused by name."""

from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from pixelcnn.codec.pixels import PixelFormat, format_of, read_exactly, to_file_image
from pixelcnn.errors import DataError


def file_of(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def picture(mode: str) -> Image.Image:
    generator = np.random.default_rng(0)
    if mode == "I;16":
        return Image.fromarray(generator.integers(0, 65_536, (5, 4)).astype(np.uint16))
    colours = Image.fromarray(generator.integers(0, 256, (5, 4, 3)).astype(np.uint8))
    return colours.convert(mode)


@pytest.mark.parametrize(
    ("mode", "channels", "levels"),
    [
        ("1", 1, 2),
        ("1", 1, 256),
        ("L", 1, 256),
        ("L", 3, 256),
        ("L", 1, 65_536),
        ("I;16", 1, 65_536),
        ("RGB", 3, 256),
    ],
)
def test_a_file_comes_back_in_its_mode(mode, channels, levels):
    original = picture(mode)
    x = read_exactly(file_of(original), "file", channels=channels, levels=levels)
    assert x.shape == (channels, 5, 4)
    restored = to_file_image(x, format_of(original, "file"), levels=levels)
    assert restored.mode == original.mode
    assert np.array_equal(np.asarray(restored), np.asarray(original))


def test_an_rgb_file_without_colours_fits_a_grey_model():
    original = picture("L").convert("RGB")
    x = read_exactly(file_of(original), "file", channels=1, levels=256)
    restored = to_file_image(x, PixelFormat.RGB_8, levels=256)
    assert np.array_equal(np.asarray(restored), np.asarray(original))


def test_a_palette_becomes_its_colours():
    original = picture("RGB").quantize(7)
    x = read_exactly(file_of(original), "file", channels=3, levels=256)
    restored = to_file_image(x, PixelFormat.RGB_8, levels=256)
    assert np.array_equal(np.asarray(restored), np.asarray(original.convert("RGB")))


@pytest.mark.parametrize(
    ("image", "channels", "levels", "message"),
    [
        (picture("L"), 1, 2, "x.png holds the value .* none of the 2 levels"),
        (picture("I;16"), 1, 256, "x.png holds the value .* none of the 256 levels"),
        (picture("RGB"), 1, 256, "x.png has colours"),
        (Image.new("RGBA", (2, 2), (1, 2, 3, 99)), 3, 256, "x.png has transparent pixels"),
        (picture("CMYK"), 3, 256, "x.png must hold .* got mode CMYK"),
        (picture("RGB"), 2, 256, "1 or 3 channels"),
    ],
)
def test_what_the_model_lacks_is_refused_by_name(image, channels, levels, message):
    content = file_of(image, "TIFF" if image.mode == "CMYK" else "PNG")
    with pytest.raises(DataError, match=message):
        read_exactly(content, "x.png", channels=channels, levels=levels)


def test_an_opaque_image_has_no_transparency():
    original = picture("RGB")
    x = read_exactly(file_of(original.convert("RGBA")), "file", channels=3, levels=256)
    assert np.array_equal(x.permute(1, 2, 0).numpy(), np.asarray(original))


def test_colours_of_sixteen_bits_are_refused():
    from zlib import compress, crc32

    def block(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + crc32(kind + data).to_bytes(4, "big")

    head = (1).to_bytes(4, "big") * 2 + bytes([16, 2, 0, 0, 0])
    content = b"\x89PNG\r\n\x1a\n" + block(b"IHDR", head)
    content += block(b"IDAT", compress(bytes(7))) + block(b"IEND", b"")
    with pytest.raises(DataError, match="16 bits per colour"):
        read_exactly(content, "file", channels=3, levels=256)


def test_animations_are_refused():
    frames = [picture("L"), picture("L").transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    content = file_of(frames[0], "GIF", save_all=True, append_images=frames[1:])
    with pytest.raises(DataError, match="animation"):
        read_exactly(content, "file", channels=1, levels=256)


def test_a_broken_file_is_named():
    with pytest.raises(DataError, match=r"broken\.png cannot be read"):
        read_exactly(b"nothing", "broken.png", channels=1, levels=2)


def test_levels_that_no_file_holds_are_refused():
    with pytest.raises(DataError, match="npz"):
        to_file_image(torch.zeros(3, 2, 2, dtype=torch.int32), PixelFormat.LEVELS, levels=1000)
