"""Compression: bytes beside other formats, excess over the likelihood, images per second.

python -m benchmarks.compression mnist-256 --count 1000      (needs PIXELCNN_DATA, imagecodecs)

Compresses the first test images of the model's data set as p(x) and, with --labels, given their
true labels; decompresses them, and counts pixels that differ. The others code the same images as
one sheet and as one file each. Seconds are CPU time with one thread. Prints a table, and writes
NAME.md into --out.
"""

import argparse
import math
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from benchmarks.measure import machine, seconds_spent, table
from pixelcnn.codec import compress, decompress
from pixelcnn.codec.archive import opened
from pixelcnn.codec.encoding import NO_LABEL
from pixelcnn.data import batches, load_data
from pixelcnn.data.sources.arrays.arrays import level_type
from pixelcnn.errors import require
from pixelcnn.files import write_text
from pixelcnn.models import AutoregressiveModel
from pixelcnn.runs import load
from pixelcnn.spec import requantise

BATCH = 64
HEAD = ["format", "bytes, one sheet", "bits/dim", "bytes, one file each", "bits/dim"]
Coder = Callable[[NDArray[np.uint8]], bytes]


def pillow(kind: str, **options: object) -> Coder:
    """A format of Pillow. Pixels (H, W) or (H, W, 3)."""

    def encode(pixels: NDArray[np.uint8]) -> bytes:
        file, image = BytesIO(), Image.fromarray(pixels)
        if pixels.ndim == 2 and set(np.unique(pixels).tolist()) <= {0, 255} and kind == "PNG":
            image = image.convert("1")
        image.save(file, kind, **options)
        return file.getvalue()

    return encode


def others() -> dict[str, Coder]:
    """Lossless formats at their highest effort."""
    codecs = require("imagecodecs", extra="benchmarks")
    return {
        "PNG, optimised": pillow("PNG", optimize=True),
        "WebP, lossless": pillow("WEBP", lossless=True, quality=100, method=6),
        "JPEG XL, effort 9": lambda x: codecs.jpegxl_encode(x, lossless=True, effort=9),
    }


def sheet_of(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Images (N, H, W, …) side by side, in about as many rows as columns; blank where none is."""
    count, height, width, *rest = pixels.shape
    columns = math.ceil(math.sqrt(count))
    rows = -(-count // columns)
    blank = np.zeros((rows * columns - count, height, width, *rest), np.uint8)
    grid = np.concatenate([pixels, blank]).reshape(rows, columns, height, width, *rest)
    return np.ascontiguousarray(grid.swapaxes(1, 2).reshape(rows * height, columns * width, *rest))


def rows_of_others(x: torch.Tensor, levels: int) -> list[list[str]]:
    """Bytes of images (N, C, H, W) in the other formats."""
    bytes_of = requantise(x, levels, to=256).permute(0, 2, 3, 1).numpy().astype(level_type(256))
    pixels = bytes_of[..., 0] if x.shape[1] == 1 else bytes_of
    found = []
    for name, encode in others().items():
        sheet, each = len(encode(sheet_of(pixels))), sum(len(encode(one)) for one in pixels)
        bits = [f"{8 * count / x.numel():.4f}" for count in (sheet, each)]
        found.append([name, f"{sheet:,}", bits[0], f"{each:,}", bits[1]])
    return found


def bits_of(model: AutoregressiveModel, x: torch.Tensor, labels: torch.Tensor | None) -> float:
    """-log2 p of all images together, by forward passes; labels at log2 of their number."""
    nats = 0.0
    with torch.inference_mode():
        for first in range(0, len(x), BATCH):
            own = slice(first, first + BATCH)
            cond = None if labels is None else labels[own]
            nats -= model.log_prob(x[own], cond).double().sum().item()
    share = 0.0 if labels is None else len(x) * math.log2(model.num_labels or 1)
    return nats / math.log(2) + share


def measure(
    model: AutoregressiveModel,
    x: torch.Tensor,
    labels: torch.Tensor | None,
    entropy_model: str,
) -> tuple[list[str], list[str]]:
    """The row of the table, and lines about excess, difference and speed."""
    way = NO_LABEL if labels is None and model.condition.kind == "labels" else labels
    start = seconds_spent()
    content = compress(model, x, labels=way, entropy_model=entropy_model)
    middle = seconds_spent()
    restored = decompress(content, model).stacked
    end = seconds_spent()
    bits = bits_of(model, x, labels)
    with opened(content) as file:
        name = f"pixelcnn, {file.container.header.entropy_model}"
    name += "" if labels is None else ", given labels"
    row = [name, f"{len(content):,}", f"{8 * len(content) / x.numel():.4f}", "", ""]
    lines = [
        f"{name}: {8 * len(content) / bits - 1:.3%} over -log2 p, {bits / 8:,.0f} bytes",
        f"{name}: {int((restored != x).sum()):,} of {x.numel():,} sub-pixels differ",
        f"{name}: {len(x) / (middle - start):.1f} images/s encoded, "
        f"{len(x) / (end - middle):.1f} decoded",
    ]
    print("\n".join(lines), flush=True)
    return row, lines


def run(args: argparse.Namespace) -> None:
    """Measures, prints and writes."""
    torch.set_num_threads(1)
    model = load(args.run)
    binarization: Literal["threshold", "none"] = "threshold" if model.num_classes == 2 else "none"
    data = load_data(args.data, image_size=args.size, binarization=binarization)
    images = data.test.take(torch.arange(min(args.count, len(data.test))))
    parts = list(batches(images, BATCH))
    x = torch.cat([part.x for part in parts]).long()
    labels = images.labels if args.labels else None
    ways = [None] if model.condition.is_none or model.condition.is_optional else []
    ways += [labels.long()] if labels is not None else []
    rows, lines = [], []
    for way in ways:
        row, found = measure(model, x, way, args.entropy_model)
        rows, lines = [*rows, row], [*lines, *found]
    rows += rows_of_others(x, model.num_classes)
    best = min(int(each[column].replace(",", "")) for each in rows if each[4] for column in (1, 3))
    ours = min(int(each[1].replace(",", "")) for each in rows if not each[4])
    lines.append(f"{1 - ours / best:.1%} fewer bytes than the best of the others")
    about = f"{len(x):,} test images of {data.protocol}; {machine()}"
    text = "\n\n".join([about, table(HEAD, rows), "\n".join(f"- {line}" for line in lines)])
    print(text)
    write_text(args.out / f"{Path(args.run).stem}-{args.data}-{len(x)}.md", f"{text}\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", help="model")
    parser.add_argument("--data", default="mnist", metavar="NAME", help="data set (default: mnist)")
    parser.add_argument("--size", type=int, metavar="N", help="side of the images")
    parser.add_argument("--count", type=int, default=1000, metavar="N", help="test images")
    parser.add_argument("--labels", action="store_true", help="also given labels")
    parser.add_argument("--entropy-model", default="machine-bound", metavar="NAME")
    parser.add_argument("--out", type=Path, default=Path("runs/compression"), metavar="DIR")
    run(parser.parse_args())
