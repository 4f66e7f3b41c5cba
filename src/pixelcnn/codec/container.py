"""The bytes of a .pxc file, and writing them. docs/format.md describes each."""

import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from pixelcnn.codec.pixels import PixelFormat
from pixelcnn.codec.tiles import num_windows
from pixelcnn.errors import DataError

MAGIC = b"\x89PXC\r\n\x1a\n"
VERSION = 1
MOST_HEADER = 4096  # bytes
MOST_IMAGES = 4096  # of a chunk
MOST_DIMS = 2**27
"""Sub-pixels of a chunk: what a decoder must hold before it can check anything."""

MOST_WINDOWS = 2**20  # of a chunk
MOST_NOTES = 2**26  # bytes, unpacked


@dataclass(frozen=True)
class PxcHeader:
    """What a decoder must know before the first chunk.

    Attributes:
        fingerprint: Of the model, sixteen hexadecimal digits.
        channels: C.
        levels: K.
        num_labels: Labels that are coded; 0 for none.
        window: Height and width.
        context: As `ChunkCoder`.
        entropy_model: Its name.
        requirements: What it needs in common with the encoder.
    """

    fingerprint: str
    channels: int
    levels: int
    num_labels: int
    window: tuple[int, int]
    context: int
    entropy_model: str
    requirements: str


@dataclass(frozen=True)
class Chunk:
    """A run of images of one size and format.

    Attributes:
        format: How its levels are written as files.
        count: Images.
        height: H.
        width: W.
        checksum: CRC-32 of the decoded content.
        payload: Its stream; empty in what `read_container` gives, which leaves it in the file.
    """

    format: PixelFormat
    count: int
    height: int
    width: int
    checksum: int
    payload: bytes = b""


@dataclass(frozen=True)
class Place:
    """Where the payload of a chunk lies in a file.

    Attributes:
        start: Its first byte.
        length: In bytes.
        checksum: Its CRC-32.
        seed: What the CRC-32 is continued from.
    """

    start: int
    length: int
    checksum: int
    seed: int


@dataclass(frozen=True)
class Container:
    """A file without its payloads.

    Attributes:
        header: The header.
        chunks: Without payloads.
        places: Of their payloads.
        numbers: Number of each stored image among those that were compressed.
        notes: Names and metadata; empty if they were not kept.
        num_bytes: Of the file.
    """

    header: PxcHeader
    chunks: list[Chunk]
    places: list[Place]
    numbers: Sequence[int]
    num_bytes: int
    notes: dict[str, Any] = field(default_factory=dict)

    def payload(self, number: int, stream: BinaryIO) -> bytes:
        """The payload of a chunk.

        Raises:
            DataError: If its bytes are not those that were written.
        """
        place = self.places[number]
        stream.seek(place.start)
        payload = stream.read(place.length)
        if len(payload) != place.length or zlib.crc32(payload, place.seed) != place.checksum:
            raise damaged_pxc(f"chunk {number} has another checksum than was written")
        return payload


def fits(header: PxcHeader, count: int, height: int, width: int) -> bool:
    """Whether a chunk may hold so many images of that size."""
    windows = count * num_windows((height, width), header.window, header.context)
    num_dims = count * header.channels * height * width
    return count <= MOST_IMAGES and num_dims <= MOST_DIMS and windows <= MOST_WINDOWS


def pack_varint(number: int) -> bytes:
    """A whole number in groups of seven bits, the lowest first; the top bit says that more follow.

    Example:
        >>> pack_varint(300).hex()
        'ac02'
    """
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


def write_header(header: PxcHeader) -> bytes:
    """Magic, version, length, body, CRC-32."""
    numbers = (header.channels, header.levels, header.num_labels, *header.window, header.context)
    body = bytes.fromhex(header.fingerprint) + b"".join(map(pack_varint, numbers))
    body += _pack_text(header.entropy_model) + _pack_text(header.requirements)
    content = MAGIC + bytes([VERSION]) + pack_varint(len(body)) + body
    return content + pack_u32(zlib.crc32(content))


def write_container(
    stream: BinaryIO,
    header: PxcHeader,
    chunks: Iterable[Chunk],
    *,
    numbers: Sequence[int] | None = None,
    notes: dict[str, Any] | None = None,
) -> int:
    """Writes a file, chunk by chunk.

    Args:
        stream: Open for writing.
        header: The header.
        chunks: With payloads.
        numbers: As `Container`; None where images are stored in their order.
        notes: Names and metadata.

    Returns:
        Bytes written.
    """
    content = write_header(header)
    checksum = header_checksum = int.from_bytes(content[-4:], "little")
    num_bytes, num_chunks, num_images = stream.write(content), 0, 0
    for chunk in chunks:
        fields = pack_chunk(chunk)
        own = zlib.crc32(chunk.payload, chunk_seed(header_checksum, num_chunks, fields))
        num_bytes += stream.write(fields + pack_u32(own) + chunk.payload)
        checksum = zlib.crc32(pack_u32(own), checksum)
        num_chunks, num_images = num_chunks + 1, num_images + chunk.count
    trailer = pack_varint(0) + pack_varint(num_chunks) + pack_varint(num_images)
    trailer += pack_varint(0 if numbers is None else 1) + b"".join(map(pack_varint, numbers or ()))
    packed = zlib.compress(json.dumps(notes, separators=(",", ":")).encode(), 9) if notes else b""
    trailer += pack_varint(len(packed)) + packed
    return num_bytes + stream.write(trailer + pack_u32(zlib.crc32(trailer, checksum)))


def pack_chunk(chunk: Chunk) -> bytes:
    """The fields of a chunk before its checksum."""
    numbers = (chunk.format, chunk.count, chunk.height, chunk.width, len(chunk.payload))
    return b"".join(map(pack_varint, numbers)) + pack_u32(chunk.checksum)


def _pack_text(text: str) -> bytes:
    content = text.encode()
    return pack_varint(len(content)) + content


def chunk_seed(header_checksum: int, number: int, fields: bytes) -> int:
    """What the CRC-32 of a chunk begins with, so that a chunk fits one place of one file alone."""
    return zlib.crc32(pack_u32(header_checksum) + pack_varint(number) + fields)


def pack_u32(number: int) -> bytes:
    """Four bytes, the lowest first."""
    return number.to_bytes(4, "little")


def damaged_pxc(reason: str) -> DataError:
    """The error for a file whose bytes are not those that were written."""
    return DataError(f"The .pxc file is damaged: {reason}. Copy it again.")
