"""Compression in parts: each chunk is a file, made by one process or many; any can continue it."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from torch import Tensor

from pixelcnn.codec.container import Chunk, write_container, write_header
from pixelcnn.codec.encoding import Encoding
from pixelcnn.codec.pixels import PixelFormat
from pixelcnn.codec.sources import png_length
from pixelcnn.inference.query import Progress
from pixelcnn.shards.archive import Arrays
from pixelcnn.shards.plan import ModelPlan
from pixelcnn.shards.work import ShardedWork


@dataclass(frozen=True, kw_only=True)
class CompressionPlan(ModelPlan):
    """What is compressed, and how. A shard holds one chunk.

    Attributes:
        num_chunks: Chunks of the file.
        images: Checksum of the images, or of names, sizes and times of their files.
        chunks: Checksum of how they are cut into chunks.
        labels: "cheapest", the checksum of those given, or None.
        header: Of the file, in hexadecimal digits.
    """

    num_chunks: int
    images: str
    chunks: str
    labels: str | None
    header: str

    @property
    def num_images(self) -> int:
        """Chunks: a shard is one of them."""
        return self.num_chunks

    @property
    def notes(self) -> dict[str, Any]:
        """Description of a shard for people."""
        return {
            "description": "a chunk of a .pxc file",
            "software": f"pixelcnn {self.software['pixelcnn']}",
            "source": f"model {self.weights}, images {self.images}",
        }


class ShardedCompression(ShardedWork):
    """The chunks of a .pxc file as files of their own, until all are there.

    `ShardedWork` describes the folder. A shard holds `payload` (n,), uint8; `fields` (5,): format,
    images, height, width and checksum of the content; and `png` (1,): bytes of the images as one
    PNG file each, -1 where PNG cannot hold them.

    Args:
        folder: Where the chunks are until the file is written.
        encoding: What to compress.

    Attributes:
        num_bytes: Of the chunks made or read by this process.
        num_dims: Their sub-pixels.
        png: Bytes of their images as PNG files; None if PNG cannot hold them.

    Raises:
        ConfigError: If the folder holds chunks of other images or settings.
        OutputError: If the folder cannot be written to.
    """

    def __init__(self, folder: str | Path, encoding: Encoding) -> None:
        self.encoding = encoding
        self.num_bytes, self.num_dims = 0, 0
        self.png: int | None = 0
        model, labels = encoding.coder.entropy_model.model, encoding.labels
        header = encoding.header
        super().__init__(
            folder,
            CompressionPlan(
                shard_size=1,
                model=model.name,
                weights=header.fingerprint,
                batch_size=1,
                device=model.device.type,
                num_chunks=len(encoding.chunks),
                images=encoding.source.digest,
                chunks=_digest(encoding.chunks),
                labels=_digest(labels.tolist()) if isinstance(labels, Tensor) else labels,
                header=write_header(header).hex(),
            ),
        )

    def size_of(self, images: range) -> int:
        """Sub-pixels."""
        return sum(self.encoding.num_dims(chunk) for chunk in images)

    def arrays_of(self, images: range, on_progress: Progress | None) -> Arrays:
        """Makes a chunk."""
        done, total = 0, self.size_of(images)

        def report(count: int) -> None:
            nonlocal done
            done += count
            if on_progress is not None:
                on_progress(done, total)

        chunk, x = self.encoding.encode(images.start, report)
        levels = self.encoding.coder.entropy_model.model.num_classes
        png = png_length(x, chunk.format, levels)
        self._count(len(chunk.payload), x.numel(), png)
        fields = [chunk.format, chunk.count, chunk.height, chunk.width, chunk.checksum]
        return {
            "payload": np.frombuffer(chunk.payload, np.uint8),
            "fields": np.array(fields, dtype=np.int64),
            "png": np.array([-1 if png is None else png]),
        }

    def write_file(self, stream: BinaryIO, notes: dict[str, Any]) -> int:
        """Writes the .pxc file from the chunks, once all are there; returns its bytes."""
        self.num_bytes, self.num_dims, self.png = 0, 0, 0
        encoding = self.encoding
        return write_container(
            stream, encoding.header, self._chunks(), numbers=encoding.numbers, notes=notes
        )

    @property
    def rate(self) -> str:
        """Bits so far, in words.

        Example: "0.859 bits/dim, 36 % of PNG".
        """
        if not self.num_dims:
            return ""
        text = f"{8 * self.num_bytes / self.num_dims:.3f} bits/dim"
        return f"{text}, {100 * self.num_bytes / self.png:.0f} % of PNG" if self.png else text

    def _chunks(self) -> Iterator[Chunk]:
        for number in range(self.plan.num_shards):
            with np.load(self.folder / self.plan.file_of(number), allow_pickle=False) as arrays:
                kind, count, height, width, checksum = arrays["fields"].tolist()
                payload, png = arrays["payload"].tobytes(), int(arrays["png"][0])
            self._count(len(payload), self.encoding.num_dims(number), None if png < 0 else png)
            yield Chunk(PixelFormat(kind), count, height, width, checksum, payload)

    def _count(self, num_bytes: int, num_dims: int, png: int | None) -> None:
        self.num_bytes += num_bytes
        self.num_dims += num_dims
        self.png = None if png is None or self.png is None else self.png + png


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]
