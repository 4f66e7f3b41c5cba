"""Reading the bytes of a .pxc file of unknown origin: nothing in it is believed."""

import zlib
from io import BytesIO
from typing import Any, BinaryIO

from pixelcnn.codec.container import (
    MAGIC,
    MOST_HEADER,
    MOST_NOTES,
    VERSION,
    Chunk,
    Container,
    Place,
    PxcHeader,
    chunk_seed,
    damaged_pxc,
    fits,
    pack_u32,
    pack_varint,
)
from pixelcnn.codec.pixels import PixelFormat
from pixelcnn.errors import DataError
from pixelcnn.files import parse_json


def read_container(stream: BinaryIO) -> Container:
    """Reads all but the payloads, whose places it checks; nothing is decoded.

    Args:
        stream: Open for reading, at any place of it; must be able to seek.

    Raises:
        DataError: If it is no .pxc file, of another version, or damaged.
    """
    reader = _Reader(stream)
    header, header_checksum = _read_header(reader)
    checksum, count = header_checksum, 0
    chunks: list[Chunk] = []
    places: list[Place] = []
    while kind := reader.varint():
        start = reader.position - len(pack_varint(kind))
        chunk, length = _read_chunk(reader, kind, header)
        fields = reader.since(start)
        own = reader.u32()
        seed = chunk_seed(header_checksum, len(chunks), fields)
        places.append(Place(reader.position, length, own, seed))
        reader.skip(length)
        checksum, count = zlib.crc32(pack_u32(own), checksum), count + chunk.count
        chunks.append(chunk)
    start = reader.position - 1
    if (reader.varint(), reader.varint()) != (len(chunks), count):
        raise damaged_pxc("its trailer counts other chunks")
    is_ordered = reader.varint() == 0
    numbers = range(count) if is_ordered else [reader.varint() for _ in range(count)]
    packed = reader.read(reader.varint())
    trailer = reader.since(start)
    if reader.u32() != zlib.crc32(trailer, checksum) or reader.position != reader.size:
        raise damaged_pxc("its trailer has another checksum than was written")
    if not is_ordered and sorted(numbers) != list(range(count)):
        raise damaged_pxc("its images are numbered twice")
    notes = _read_notes(packed)
    return Container(header, chunks, places, numbers, reader.size, notes)


class _Reader:
    """Reads numbers from a stream, and never past its end."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.size = stream.seek(0, 2)
        self.position = stream.seek(0)

    def read(self, length: int) -> bytes:
        self._check(length)
        content = self.stream.read(length)
        if len(content) != length:
            raise damaged_pxc("it ends too early")
        self.position += length
        return content

    def skip(self, length: int) -> None:
        self._check(length)
        self.position = self.stream.seek(self.position + length)

    def since(self, start: int) -> bytes:
        """All bytes from a place up to here."""
        self.stream.seek(start)
        return self.stream.read(self.position - start)

    def u32(self) -> int:
        return int.from_bytes(self.read(4), "little")

    def varint(self) -> int:
        found = 0
        for shift in range(0, 63, 7):
            byte = self.read(1)[0]
            found |= (byte & 127) << shift
            if byte < 128:
                return found
        raise damaged_pxc("it holds a number of too many bits")

    def text(self) -> str:
        try:
            return self.read(self.varint()).decode()
        except UnicodeDecodeError:
            raise damaged_pxc("it holds text that is no UTF-8") from None

    def _check(self, length: int) -> None:
        if length > self.size - self.position:
            raise damaged_pxc("it ends too early")


def _read_header(reader: _Reader) -> tuple[PxcHeader, int]:
    if reader.size < len(MAGIC) or reader.read(len(MAGIC)) != MAGIC:
        raise DataError(
            "The file must be a .pxc file, as `pixelcnn compress` writes them, and does not begin "
            "as one. Name another."
        )
    version = reader.read(1)[0]
    if version != VERSION:
        raise DataError(
            f"The .pxc file must have format version {VERSION}, got {version}. Decompress it with "
            f"the version of this package that wrote it."
        )
    length = reader.varint()
    if length > MOST_HEADER:
        raise damaged_pxc("its header is too long")
    body = reader.read(length)
    checksum = reader.u32()
    if zlib.crc32(MAGIC + bytes([VERSION]) + pack_varint(length) + body) != checksum:
        raise damaged_pxc("its header has another checksum than was written")
    inner = _Reader(BytesIO(body))
    fingerprint = inner.read(8).hex()
    channels, levels, num_labels, height, width, context = (inner.varint() for _ in range(6))
    names = inner.text(), inner.text()
    if inner.position != length or not (channels and height and width):
        raise damaged_pxc("its header holds more or less than it should")
    header = PxcHeader(fingerprint, channels, levels, num_labels, (height, width), context, *names)
    return header, checksum


def _read_chunk(reader: _Reader, kind: int, header: PxcHeader) -> tuple[Chunk, int]:
    """The fields of a chunk, and the length of its payload."""
    if kind not in list(PixelFormat):
        raise damaged_pxc(f"it holds images of an unknown format {kind}")
    count, height, width, length = (reader.varint() for _ in range(4))
    if not (count and height and width and fits(header, count, height, width)):
        raise damaged_pxc("a chunk has more images or pixels than it may hold")
    return Chunk(PixelFormat(kind), count, height, width, reader.u32()), length


def _read_notes(packed: bytes) -> dict[str, Any]:
    if not packed:
        return {}
    try:
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(packed, MOST_NOTES)
        if not unpacker.eof or unpacker.unused_data:
            raise ValueError("they are too long")
        found = parse_json(text.decode())
    except (zlib.error, ValueError) as error:
        raise damaged_pxc(f"its names cannot be read ({error})") from error
    if not isinstance(found, dict):
        raise damaged_pxc("its names cannot be read")
    return found
