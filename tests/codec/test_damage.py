"""Damaged and hostile files are refused before an image comes out, in little memory."""

import random
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from pixelcnn.codec.api import compress, decompress
from pixelcnn.codec.archive import opened
from pixelcnn.codec.container import (
    MAGIC,
    Chunk,
    PxcHeader,
    chunk_seed,
    pack_chunk,
    pack_u32,
    pack_varint,
    write_container,
    write_header,
)
from pixelcnn.codec.pixels import PixelFormat
from pixelcnn.codec.reading import read_container
from pixelcnn.errors import CheckpointError, ConfigError, DataError
from tests.codec.models import levels, small

MODEL = small(num_classes=4, image_size=4)
IMAGES = levels(MODEL, 6, 4, 4)
CONTENT = compress(
    MODEL, IMAGES, chunk_size=2, names=[f"image-{n}" for n in range(6)], keep_names=True
)
HEADER = PxcHeader("0" * 16, 1, 4, 0, (4, 4), 1, "machine-bound", "torch")
REFUSED = (DataError, CheckpointError)


@contextmanager
def memory_limit(more: int) -> Iterator[None]:
    """Lets this process grow by so many bytes."""
    resource = pytest.importorskip("resource")
    if not Path("/proc/self/statm").exists():
        pytest.skip("needs Linux to limit the memory")
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + more
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def mutation(source: random.Random) -> bytes:
    """The file with something changed."""
    found = bytearray(CONTENT)
    place, other = sorted(source.sample(range(len(found)), 2))
    match source.choice(["bit", "byte", "cut", "delete", "insert", "repeat", "swap", "number"]):
        case "bit":
            found[place] ^= 1 << source.randrange(8)
        case "byte":
            found[place] ^= source.randrange(1, 256)
        case "cut":
            del found[place:]
        case "delete":
            del found[place:other]
        case "insert":
            found[place:place] = source.randbytes(source.randrange(1, 20))
        case "repeat":
            found[other:other] = found[place:other]
        case "swap":
            length = min(8, other - place, len(found) - other)
            first, second = found[place : place + length], found[other : other + length]
            found[place : place + length], found[other : other + length] = second, first
        case "number":
            found[place : place + 4] = b"\xff\xff\xff\x7f"
    return bytes(found)


def try_mutations(count: int, seed: int) -> None:
    source = random.Random(seed)
    with memory_limit(2**28):
        for number in range(count):
            damaged = mutation(source)
            if damaged == CONTENT:
                continue
            try:
                decompress(damaged, MODEL)
            except REFUSED:
                continue
            pytest.fail(f"mutation {number} of seed {seed} went unseen")


def test_mutations_are_refused():
    try_mutations(300, seed=1)


@pytest.mark.slow
def test_ten_thousand_mutations_are_refused():
    try_mutations(10_000, seed=2)


def test_every_flipped_bit_is_seen_before_anything_is_decoded():
    for place in range(len(CONTENT)):
        damaged = bytearray(CONTENT)
        damaged[place] ^= 1 << (place % 8)
        stream = BytesIO(damaged)
        with pytest.raises(DataError):
            found = read_container(stream)
            for number in range(len(found.chunks)):
                found.payload(number, stream)


def test_every_truncation_is_seen():
    for length in range(len(CONTENT)):
        with pytest.raises(DataError):
            read_container(BytesIO(CONTENT[:length]))


def chunks(*payloads: bytes) -> list[Chunk]:
    return [Chunk(PixelFormat.LEVELS, 1, 2, 2, 7, payload) for payload in payloads]


def file_of(header: PxcHeader, *payloads: bytes) -> bytes:
    stream = BytesIO()
    write_container(stream, header, chunks(*payloads))
    return stream.getvalue()


def test_swapped_chunks_are_seen_in_one_file_and_between_two():
    one, other = file_of(HEADER, b"aaaa", b"bbbb"), file_of(HEADER, b"bbbb", b"aaaa")
    begin = len(write_header(HEADER))
    size = len(pack_chunk(chunks(b"aaaa")[0])) + 8
    swapped = one[:begin] + one[begin + size : begin + 2 * size] + one[begin : begin + size]
    for damaged in (swapped + one[begin + 2 * size :], one[: begin + size] + other[begin + size :]):
        with pytest.raises(DataError):
            found = read_container(BytesIO(damaged))
            for number in range(2):
                found.payload(number, BytesIO(damaged))


def hostile(**fields: int) -> bytes:
    """A file with true checksums and a chunk of such sizes."""
    values = {"count": 1, "height": 2, "width": 2} | fields
    chunk = Chunk(PixelFormat.LEVELS, checksum=0, payload=b"abcd", **values)
    stream = BytesIO()
    write_container(stream, HEADER, [chunk])
    return stream.getvalue()


@pytest.mark.parametrize(
    "fields",
    [
        {"count": 2**40},
        {"count": 5000},
        {"height": 2**20, "width": 2**20},
        {"height": 2**62},
        {"width": 0},
        {"count": 0},
    ],
)
def test_huge_and_empty_sizes_are_refused(fields):
    with memory_limit(2**26), pytest.raises(DataError, match="more images or pixels"):
        read_container(BytesIO(hostile(**fields)))


def test_a_header_of_any_length_is_refused():
    damaged = MAGIC + bytes([1]) + pack_varint(2**50) + bytes(100)
    with pytest.raises(DataError, match="header is too long"):
        read_container(BytesIO(damaged))


def test_a_payload_longer_than_the_file_is_refused():
    fields = b"".join(map(pack_varint, (1, 1, 2, 2, 2**50))) + pack_u32(0)
    header = write_header(HEADER)
    own = zlib.crc32(b"", chunk_seed(int.from_bytes(header[-4:], "little"), 0, fields))
    with pytest.raises(DataError, match="ends too early"):
        read_container(BytesIO(header + fields + pack_u32(own) + b"abcd"))


def test_names_that_unpack_without_end_are_refused(monkeypatch):
    stream = BytesIO()
    write_container(stream, HEADER, [], notes={"names": ["a" * 2**16]})
    assert read_container(stream).notes
    monkeypatch.setattr("pixelcnn.codec.reading.MOST_NOTES", 2**15)
    with pytest.raises(DataError, match="names cannot be read"):
        read_container(stream)


def test_other_files_and_versions_are_refused():
    with pytest.raises(DataError, match=r"must be a \.pxc file"):
        decompress(b"GIF89a", MODEL)
    later = CONTENT[:8] + bytes([2]) + CONTENT[9:]
    with pytest.raises(DataError, match="format version 1, got 2"):
        decompress(later, MODEL)


def test_numbers_given_twice_are_refused():
    stream = BytesIO()
    write_container(stream, HEADER, chunks(b"aaaa", b"bbbb"), numbers=[1, 1])
    with pytest.raises(DataError, match="numbered twice"):
        read_container(stream)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"none\.pxc"):
        decompress(tmp_path / "none.pxc")


def test_an_index_is_checked_before_anything_is_decoded():
    with pytest.raises(ConfigError):
        decompress(CONTENT, MODEL, index=-1)


def forged(payload: bytes, **fields: object) -> bytes:
    """A file of the model with true checksums and a payload that no encoder wrote."""
    with opened(CONTENT) as file:
        header = replace(file.container.header, **fields)
    stream = BytesIO()
    write_container(stream, header, [Chunk(PixelFormat.LEVELS, 2, 4, 4, 0, payload)])
    return stream.getvalue()


@pytest.mark.parametrize("seed", range(20))
def test_payloads_that_no_encoder_wrote_are_refused(seed):
    source = random.Random(seed)
    payload = source.randbytes(source.randrange(40)) if seed else b"\xff" * 40
    with pytest.raises(DataError, match="cannot be decoded here"):
        decompress(forged(payload), MODEL)


@pytest.mark.parametrize("fields", [{"levels": 3}, {"channels": 2}, {"num_labels": 7}])
def test_a_header_that_does_not_fit_its_model_is_refused(fields):
    with pytest.raises(DataError, match="does not fit its model"):
        decompress(forged(b"abcd", **fields), MODEL)


def test_metadata_of_other_kinds_is_refused():
    stream = BytesIO()
    with opened(CONTENT) as file:
        container = file.container
        chunks = [
            replace(chunk, payload=container.payload(number, file.stream))
            for number, chunk in enumerate(container.chunks)
        ]
        write_container(stream, container.header, chunks, notes={"metadata": {"0": {"exif": 7}}})
        with pytest.raises(DataError, match="metadata"):
            decompress(stream, MODEL)
