"""A shard is a NumPy file with a checksum."""

import io
import zipfile

import numpy as np
import pytest

from pixelcnn.shards.archive import is_whole, pack, read_notes

ARRAYS = {"x": np.arange(6, dtype=np.uint8).reshape(2, 3), "notes": np.array('{"first": 4}')}


def test_numpy_reads_it_as_any_other():
    with np.load(io.BytesIO(pack(ARRAYS)), allow_pickle=False) as arrays:
        assert np.array_equal(arrays["x"], ARRAYS["x"])
    assert read_notes(pack(ARRAYS)) == {"first": 4}
    assert read_notes(pack({"x": ARRAYS["x"]})) == {}


def test_it_holds_no_time_of_day():
    with zipfile.ZipFile(io.BytesIO(pack(ARRAYS))) as archive:
        assert {each.date_time for each in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize("place", [0, 40, 200, -65, -64, -1])
def test_any_changed_byte_is_noticed(place):
    content = bytearray(pack(ARRAYS))
    assert is_whole(bytes(content))
    content[place] ^= 1
    assert not is_whole(bytes(content))


def test_any_missing_end_is_noticed():
    content = pack(ARRAYS)
    assert not any(is_whole(content[:length]) for length in range(len(content)))
