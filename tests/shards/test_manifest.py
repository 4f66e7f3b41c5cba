"""A folder of shards is that of one plan, and its manifest says of which."""

import hashlib
import json

import numpy as np
import pytest
import torch

from pixelcnn.checkpoint import fingerprint
from pixelcnn.errors import ConfigError, DataError
from pixelcnn.shards import ShardedSampling, sample_shards
from pixelcnn.shards.archive import pack
from tests.shards.folders import SIZES, contents


def test_a_shard_of_another_drawing_is_not_taken_for_ones_own(model, whole, tmp_path):
    sample_shards(model, tmp_path / "other", cond=torch.arange(5), seed=1, **SIZES)
    before = contents(whole)
    for number, source in ((0, tmp_path / "other" / "shard-00000.npz"), (2, "shard-00001.npz")):
        (whole / f"shard-0000{number}.npz").write_bytes((whole / source).read_bytes())
    # Also before there are checksums.
    manifest = json.loads((whole / "manifest.json").read_text())
    for each in manifest["shards"]:
        each["sha256"] = None
    (whole / "manifest.json").write_text(json.dumps(manifest))
    drawing = ShardedSampling(model, whole, cond=torch.arange(5), **SIZES)
    assert drawing.missing() == [0, 2]
    drawing.write([0, 2])
    assert drawing.finish()
    assert contents(whole) == before


def test_a_shard_that_the_manifest_tells_otherwise_is_drawn_again(model, whole):
    manifest = json.loads((whole / "manifest.json").read_text())
    manifest["shards"][1]["sha256"] = "0" * 64
    (whole / "manifest.json").write_text(json.dumps(manifest))
    drawing = ShardedSampling(model, whole, cond=torch.arange(5), **SIZES)
    assert drawing.missing() == [1]
    drawing.write([1])
    assert drawing.finish()
    assert drawing.missing() == []


def test_the_manifest_says_what_was_drawn(model, whole):
    manifest = json.loads((whole / "manifest.json").read_text())
    assert manifest["recipe"]["weights"] == fingerprint(model)
    assert manifest["recipe"]["condition"]["values"] == [0, 1, 2, 3, 4]
    ranges = [(each["first"], each["count"]) for each in manifest["shards"]]
    assert ranges == [(0, 6), (6, 6), (12, 6), (18, 4)]
    for each in manifest["shards"]:
        content = (whole / each["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == each["sha256"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"seed": 1}, "`seed` is 0 there and 1 here"),
        ({"temperature": 0.5}, "`temperature` is 1.0 there and 0.5 here"),
        ({"num_samples": 23}, "`num_samples` is 22 there and 23 here"),
        ({"precision": "bf16"}, '`precision` is "float32" there and "bf16" here'),
        ({"cond": 3}, "`condition` is"),
    ],
)
def test_a_folder_of_another_drawing_is_refused(model, whole, change, told):
    before = contents(whole)
    with pytest.raises(ConfigError, match=told):
        sample_shards(model, whole, **{"cond": torch.arange(5), **SIZES, **change})
    model.out.bias.data += 1
    with pytest.raises(ConfigError, match="`weights` is"):
        sample_shards(model, whole, cond=torch.arange(5), **SIZES)
    assert contents(whole) == before


def test_a_folder_whose_manifest_is_damaged_is_refused(model, whole):
    (whole / "manifest.json").write_text("{")
    with pytest.raises(DataError, match=r"must be a manifest of format"):
        sample_shards(model, whole, cond=torch.arange(5), **SIZES)


def test_a_lost_manifest_is_written_again_from_whole_shards(model, whole):
    before = contents(whole)
    (whole / "manifest.json").unlink()
    (whole / "shard-00002.npz").write_bytes(before["shard-00002.npz"][:-9])
    drawing = ShardedSampling(model, whole, cond=torch.arange(5), **SIZES)
    assert drawing.missing() == [2]
    drawing.write([2])
    assert drawing.finish()
    assert contents(whole) == before


def test_without_a_manifest_shards_of_another_drawing_are_refused(model, whole):
    (whole / "manifest.json").unlink()
    before = contents(whole)
    told = r"holds shards but no manifest\.json, and shard-00000\.npz has other settings"
    with pytest.raises(ConfigError, match=told):
        sample_shards(model, whole, cond=torch.arange(5), seed=1, **SIZES)
    assert contents(whole) == before


@pytest.mark.parametrize("shards", [None, [{}], ["a"]])
def test_a_folder_whose_manifest_was_edited_is_refused(model, whole, shards):
    manifest = json.loads((whole / "manifest.json").read_text())
    (whole / "manifest.json").write_text(json.dumps({**manifest, "shards": shards}))
    with pytest.raises(DataError, match=r"must be a manifest of format"):
        sample_shards(model, whole, cond=torch.arange(5), **SIZES)


def test_a_folder_that_was_claimed_and_never_drawn_into_is_free(model, tmp_path):
    ShardedSampling(model, tmp_path / "a", cond=1, **SIZES)
    assert sample_shards(model, tmp_path / "a", cond=1, seed=1, **SIZES)
    manifest = json.loads((tmp_path / "a" / "manifest.json").read_text())
    assert manifest["recipe"]["seed"] == 1


def test_who_lost_the_folder_to_another_drawing_stops(model, tmp_path):
    late = ShardedSampling(model, tmp_path / "a", cond=1, **SIZES)
    sample_shards(model, tmp_path / "a", cond=1, seed=1, **SIZES)
    before = contents(tmp_path / "a")
    with pytest.raises(ConfigError, match="`seed` is 1 there and 0 here"):
        late.write([0])
    assert contents(tmp_path / "a") == before


def test_a_checksum_that_ends_no_shard_is_drawn_again(model, whole):
    before = contents(whole)
    for number, content in enumerate((b"no archive", pack({"notes": np.array("[")}))):
        digest = hashlib.sha256(content).hexdigest().encode()
        ended = content + digest if number == 0 else content
        (whole / f"shard-0000{number}.npz").write_bytes(ended)
    drawing = ShardedSampling(model, whole, cond=torch.arange(5), **SIZES)
    assert drawing.missing() == [0, 1]
    drawing.write([0, 1])
    assert drawing.finish()
    assert contents(whole) == before
