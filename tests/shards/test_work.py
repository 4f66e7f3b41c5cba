"""Facts about work into shards of any kind."""

from dataclasses import dataclass

import numpy as np
import pytest

import pixelcnn.shards.manifest as manifest_module
import pixelcnn.shards.work as work_module
from pixelcnn.errors import OutputError
from pixelcnn.shards import ShardedWork
from pixelcnn.shards.plan import Plan


@dataclass(frozen=True)
class Numbers(Plan):
    count: int

    @property
    def num_images(self):
        return self.count

    @property
    def notes(self):
        return {"description": "squares"}


class Squares(ShardedWork):
    def __init__(self, folder, count: int, shard_size: int) -> None:
        super().__init__(folder, Numbers(shard_size, count))

    def arrays_of(self, images, on_progress):
        return {"square": np.array([number**2 for number in images])}

    def size_of(self, images):
        return len(images)


def test_any_work_can_be_cut_into_shards(tmp_path):
    work = Squares(tmp_path, 10, 4)
    work.write(work.missing(worker=1, num_workers=2))
    assert not work.finish()
    work.write(work.missing())
    assert not work.is_listed
    assert work.finish() and work.is_listed
    found = [np.load(file)["square"] for file in sorted(tmp_path.glob("*.npz"))]
    assert np.concatenate(found).tolist() == [number**2 for number in range(10)]


def test_work_with_a_damaged_shard_is_not_finished(tmp_path):
    work = Squares(tmp_path, 10, 4)
    work.write(work.missing())
    shard = tmp_path / "shard-00001.npz"
    shard.write_bytes(shard.read_bytes()[:-1])
    assert not work.finish() and not work.is_listed


def test_many_small_shards_read_the_manifest_once(tmp_path, monkeypatch):
    work, read = Squares(tmp_path, 300, 1), []
    found = manifest_module.read_manifest

    def counted(folder):
        read.append(folder)
        return found(folder)

    monkeypatch.setattr(manifest_module, "read_manifest", counted)
    work.write(work.missing())
    assert len(read) <= 1
    assert work.finish()


def test_who_finds_its_shard_written_by_another_goes_on(tmp_path, monkeypatch):
    first, second = Squares(tmp_path, 4, 2), Squares(tmp_path, 4, 2)
    write = work_module.write_shard

    def tidied_away(path, arrays, notes):
        # The first finishes, and takes what the second was writing for a leftover.
        monkeypatch.setattr(work_module, "write_shard", write)
        first.write([0, 1])
        assert first.finish()
        raise OutputError(f"Cannot write {path}.")

    monkeypatch.setattr(work_module, "write_shard", tidied_away)
    second.write([0])
    assert second.finish()


def test_a_shard_that_cannot_be_written_is_an_error(tmp_path, monkeypatch):
    def full(path, arrays, notes):
        raise OutputError(f"Cannot write {path}.")

    monkeypatch.setattr(work_module, "write_shard", full)
    with pytest.raises(OutputError, match="Cannot write"):
        Squares(tmp_path, 4, 2).write([0])
