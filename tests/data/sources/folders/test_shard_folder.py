"""A folder of shards is read completely, by its manifest, or not at all."""

import hashlib
import json

import numpy as np
import pytest

from pixelcnn.data.sources.arrays.arrays import read_npz
from pixelcnn.data.sources.folders.shard_folder import FORMAT
from pixelcnn.errors import DataError

NAMES = ["shard-00000.npz", "shard-00001.npz"]


@pytest.fixture
def folder(tmp_path):
    for number, name in enumerate(NAMES):
        np.savez(tmp_path / name, x_train=np.full((2, 3, 3), 9 + number, np.uint8))
    list_shards(tmp_path)
    return tmp_path


def list_shards(folder, **change):
    shards = [
        {"file": name, "sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest()}
        for name in NAMES
    ]
    manifest = {"format": FORMAT, "recipe": {}, "shards": shards, **change}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_a_whole_folder_is_read(folder):
    assert read_npz(folder).train.images[:, 0, 0, 0].tolist() == [9, 9, 10, 10]


def test_a_folder_without_one_of_its_shards_is_refused(folder):
    (folder / NAMES[1]).unlink()
    with pytest.raises(DataError, match=r"all 2 shards .* no shard-00001.npz.* samples the rest"):
        read_npz(folder)


def test_a_folder_that_was_never_finished_is_refused(folder):
    list_shards(folder, shards=[{"file": name, "sha256": None} for name in NAMES])
    with pytest.raises(DataError, match="incomplete: not all are finished"):
        read_npz(folder)


def test_a_file_that_is_not_listed_is_refused_by_name(folder):
    np.savez(folder / "mine.npz", x_train=np.full((2, 3, 3), 9, np.uint8))
    with pytest.raises(DataError, match=r"no \.npz file beside .* got mine\.npz"):
        read_npz(folder)


def test_a_shard_of_other_bytes_is_refused_by_name(folder):
    np.savez(folder / NAMES[0], x_train=np.full((2, 3, 3), 8, np.uint8))
    with pytest.raises(DataError, match=r"SHA-256 .* these differ: shard-00000\.npz"):
        read_npz(folder)


@pytest.mark.parametrize("shards", [None, [{}], ["a"], 3, [{"file": 1, "sha256": None}]])
def test_an_edited_manifest_is_refused(folder, shards):
    list_shards(folder, shards=shards)
    with pytest.raises(DataError, match="must be a manifest of format"):
        read_npz(folder)


def test_a_manifest_that_is_none_of_ours_says_nothing(folder):
    np.savez(folder / "mine.npz", x_train=np.full((2, 3, 3), 9, np.uint8))
    (folder / "manifest.json").write_text('{"shards": 3}')
    assert len(read_npz(folder).train) == 6
