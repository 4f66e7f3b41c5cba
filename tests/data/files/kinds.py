"""Small image files of every kind, and what is read of them."""

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image

from pixelcnn.data.files.decoding import DecodingOptions, decode, read_image_header
from pixelcnn.errors import DataError

RNG = np.random.default_rng(0)
SIZE = (4, 6)


@dataclass(frozen=True)
class Kind:
    """A file, and the levels (H, W) or (H, W, C) that it holds."""

    container: str
    samples: str
    content: bytes
    levels: np.ndarray

    @property
    def is_wide(self):
        return self.levels.max() > 255


def levels(channels, bits):
    """All of them, both ends included."""
    shape = SIZE if channels == 1 else (*SIZE, channels)
    found = RNG.integers(2**bits, size=shape)
    found.flat[:2] = 0, 2**bits - 1
    return found


def png(x, colour_type, bits, *extra):
    def chunk(name, body):
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    rows = x.astype(">u2" if bits == 16 else np.uint8)
    head = struct.pack(">IIBBBBB", SIZE[1], SIZE[0], bits, colour_type, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    parts = [chunk(b"IHDR", head), *(chunk(*each) for each in extra), chunk(b"IDAT", body)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b"")


def tiff(x, *, kind=1, photometric=None, extra=None):
    """Uncompressed; `kind` 1 is unsigned, 2 signed, 3 floats; `extra` 0 is no transparency."""
    channels = x.shape[2] if x.ndim == 3 else 1
    photometric = (2 if channels in (3, 4) else 1) if photometric is None else photometric
    tags = [(256, SIZE[1]), (257, SIZE[0]), (259, 1), (262, photometric), (273, 8)]
    tags += [(277, channels), (278, SIZE[0]), (279, x.nbytes), (284, 1)]
    lists = {258: [8 * x.itemsize] * channels, 339: [kind] * channels}
    if extra is not None:
        lists[338] = [extra]
    start = 8 + x.nbytes
    where = start + 2 + 12 * (len(tags) + len(lists)) + 4
    tail, entries = b"", [struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags]
    for tag, values in lists.items():
        body = struct.pack(f"<{len(values)}H", *values)
        place = body.ljust(4, b"\0")
        if len(body) > 4:
            place, tail = struct.pack("<I", where + len(tail)), tail + body
        entries.append(struct.pack("<HHI", tag, 3, len(values)) + place)
    entries.sort(key=lambda entry: struct.unpack("<H", entry[:2]))
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + struct.pack("<I", 0)
    return struct.pack("<2sHI", b"II", 42, start) + x.tobytes() + directory + tail


def pillow(image, kind, **options):
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def over_white(x, top):
    """Grey or colours with their transparency, over white, rounded."""
    alpha = x[..., -1:]
    return ((x[..., :-1] * alpha + top * (top - alpha)) / top + 0.5).astype(int).squeeze()


def kinds():
    grey, deep = levels(1, 8), levels(1, 16)
    rgb, deep_rgb = levels(3, 8), levels(3, 16)
    la16, rgba16 = levels(2, 16), levels(4, 16)
    palette = RNG.integers(256, size=(256, 3), dtype=np.uint8)
    pages = [Image.fromarray(grey.astype(np.uint8))] * 3
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = pages[0]
    yield Kind("PNG", "1 × 8 bits", png(grey, 0, 8), grey)
    yield Kind("PNG", "1 × 16 bits", png(deep, 0, 16), deep)
    yield Kind("PNG", "3 × 8 bits", png(rgb, 2, 8), rgb)
    yield Kind("PNG", "3 × 16 bits", png(deep_rgb, 2, 16), deep_rgb)
    yield Kind("PNG", "1 + transparency × 16 bits", png(la16, 4, 16), over_white(la16, 65_535))
    yield Kind("PNG", "3 + transparency × 16 bits", png(rgba16, 6, 16), over_white(rgba16, 65_535))
    plte = (b"PLTE", palette.tobytes())
    yield Kind("PNG", "palette of colours", png(grey, 3, 8, plte), palette[grey].astype(int))
    greys = palette[:, :1].repeat(3, 1)
    plte = (b"PLTE", greys.tobytes())
    yield Kind("PNG", "palette of greys", png(grey, 3, 8, plte), greys[grey, 0].astype(int))
    for name in ("PNG", "TIFF", "WEBP"):
        options = {"lossless": True} if name == "WEBP" else {}
        content = pillow(turned, name, exif=exif, **options)
        yield Kind(name, "1 × 8 bits, to be rotated", content, np.rot90(grey, -1))
    yield Kind("PGM", "1 × 8 bits", b"P5 6 4 255\n" + grey.astype(np.uint8).tobytes(), grey)
    yield Kind("PGM", "1 × 16 bits", b"P5 6 4 65535\n" + deep.astype(">u2").tobytes(), deep)
    yield Kind("PPM", "3 × 16 bits", b"P6 6 4 65535\n" + deep_rgb.astype(">u2").tobytes(), deep_rgb)
    yield Kind(
        "GIF",
        "3 pages",
        pillow(
            pages[0],
            "GIF",
            save_all=True,
            append_images=[Image.fromarray(255 - grey.astype(np.uint8)), pages[0]],
        ),
        grey,
    )
    yield Kind("TIFF", "1 × 8 bits", tiff(grey.astype(np.uint8)), grey)
    white = tiff((255 - grey).astype(np.uint8), photometric=0)
    yield Kind("TIFF", "1 × 8 bits, 0 is white", white, grey)
    yield Kind("TIFF", "1 × 16 bits", tiff(deep.astype("<u2")), deep)
    white = tiff((65_535 - deep).astype("<u2"), photometric=0)
    yield Kind("TIFF", "1 × 16 bits, 0 is white", white, deep)
    yield Kind("TIFF", "1 × 32 bits", tiff(deep.astype("<i4"), kind=2), deep)
    yield Kind("TIFF", "3 × 8 bits", tiff(rgb.astype(np.uint8)), rgb)
    yield Kind("TIFF", "3 × 16 bits", tiff(deep_rgb.astype("<u2")), deep_rgb)
    signed = (grey - 128).astype(np.int8)
    yield Kind("TIFF", "1 × 8 bits, signed", tiff(signed, kind=2), signed)
    signed = (deep - 32_768).astype("<i2")
    yield Kind("TIFF", "1 × 16 bits, signed", tiff(signed, kind=2), signed)
    floats = (grey / 255).astype("<f4")
    yield Kind("TIFF", "1 × 32 bits, floats", tiff(floats, kind=3), floats)
    for channels in (2, 4, 5):
        x = levels(channels, 8).astype(np.uint8)
        photometric = 1 if channels != 4 else 2
        content = tiff(x, photometric=photometric, extra=0)
        yield Kind("TIFF", f"{channels} × 8 bits, none transparency", content, x)
    stack = pillow(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    yield Kind("TIFF", "3 pages", stack, grey)


def outcome(kind, bits):
    """What is read of a file with these stated bits: "exact", what was changed, or the refusal."""
    try:
        header = read_image_header(kind.content, "FILE")
        if header.pages > 1:
            return "needs `data.pages`"
        x = decode(kind.content, DecodingOptions(1 if header.grey else 3, bits), name="FILE")
    except DataError as error:
        return "refused: " + str(error).partition(": ")[2].partition(". ")[0].rstrip(".")
    found = x.permute(1, 2, 0).numpy().squeeze()
    assert found.shape[:2] == (header.height, header.width)
    if np.array_equal(found, kind.levels):
        return "exact"
    rounded = (kind.levels * 255 + 32_767) // 65_535
    return "rounded to 8 bits" if np.array_equal(found, rounded) else "wrong"


def table():
    """The kinds and what is read of them, as Markdown."""
    lines = ["| file | samples | by default | `data.bits 16` |", "| --- | --- | --- | --- |"]
    for kind in kinds():
        cells = [kind.container, kind.samples, outcome(kind, None)]
        cells.append(outcome(kind, 16) if kind.is_wide else "–")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
