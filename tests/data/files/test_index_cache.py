"""The cache of indices."""

import os

import numpy as np
import pytest

from pixelcnn.data.files import index_cache


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Three indices of about a thousand bytes each, the first of which is the oldest."""
    monkeypatch.setenv("PIXELCNN_CACHE", str(tmp_path))
    for number in range(3):
        path = index_cache.index_path("tables", str(number))
        index_cache.save_index(path, str(number), {"x": np.zeros(50)})
        os.utime(path, ns=(number, number))
    return tmp_path / "tables"


def is_cached(number: int) -> bool:
    key = str(number)
    return index_cache.load_index(index_cache.index_path("tables", key), key, {"x": ()}) is not None


def test_the_least_recently_used_indices_are_evicted(cache, monkeypatch):
    size = index_cache.index_path("tables", "0").stat().st_size
    monkeypatch.setattr(index_cache, "MAX_BYTES", 3 * size)
    assert is_cached(0)
    index_cache.save_index(index_cache.index_path("tables", "3"), "3", {"x": np.zeros(50)})
    assert [is_cached(number) for number in range(4)] == [True, False, True, True]


def test_an_index_larger_than_the_limit_is_kept_alone(cache, monkeypatch):
    monkeypatch.setattr(index_cache, "MAX_BYTES", 10)
    index_cache.save_index(index_cache.index_path("tables", "3"), "3", {"x": np.zeros(50)})
    assert [is_cached(number) for number in range(4)] == [False, False, False, True]
    assert len(list(cache.iterdir())) == 1
