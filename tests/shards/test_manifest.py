"""A folder of shards has one plan, which its manifest holds."""

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


def test_a_shard_of_other_settings_is_replaced(model, whole, tmp_path):
    sample_shards(model, tmp_path / "other", cond=torch.arange(5), seed=1, **SIZES)
    before = contents(whole)
    for number, source in ((0, tmp_path / "other" / "shard-00000.npz"), (2, "shard-00001.npz")):
        (whole / f"shard-0000{number}.npz").write_bytes((whole / source).read_bytes())
    # Also before there are checksums.
    manifest = json.loads((whole / "manifest.json").read_text())
    for each in manifest["shards"]:
        each["sha256"] = None
    (whole / "manifest.json").write_text(json.dumps(manifest))
    sampling = ShardedSampling(model, whole, cond=torch.arange(5), **SIZES)
    assert sampling.missing() == [0, 2]
    sampling.write([0, 2])
    assert sampling.finish()
    assert contents(whole) == before


def test_a_shard_with_another_checksum_in_the_manifest_is_sampled_again(model, whole):
    manifest = json.loads((whole / "manifest.json").read_text())
    manifest["shards"][1]["sha256"] = "0" * 64
    (whole / "manifest.json").write_text(json.dumps(manifest))
    sampling = ShardedSampling(model, whole, cond=torch.arange(5), **SIZES)
    assert sampling.missing() == [1]
    sampling.write([1])
    assert sampling.finish()
    assert sampling.missing() == []


def test_the_manifest_holds_the_settings_and_checksums(model, whole):
    manifest = json.loads((whole / "manifest.json").read_text())
    assert manifest["recipe"]["weights"] == fingerprint(model)
    assert manifest["recipe"]["condition"]["values"] == [0, 1, 2, 3, 4]
    ranges = [(each["first"], each["count"]) for each in manifest["shards"]]
    assert ranges == [(0, 6), (6, 6), (12, 6), (18, 4)]
    for each in manifest["shards"]:
        content = (whole / each["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == each["sha256"]


@pytest.mark.parametrize(
    ("change", "calls"),
    [
        ({"seed": 1}, "`seed` is 0 there and 1 here"),
        ({"temperature": 0.5}, "`temperature` is 1.0 there and 0.5 here"),
        ({"num_samples": 23}, "`num_samples` is 22 there and 23 here"),
        ({"precision": "bf16"}, '`precision` is "float32" there and "bf16" here'),
        ({"cond": 3}, "`condition` is"),
    ],
)
def test_a_folder_of_other_settings_is_refused(model, whole, change, calls):
    before = contents(whole)
    with pytest.raises(ConfigError, match=calls):
        sample_shards(model, whole, **{"cond": torch.arange(5), **SIZES, **change})
    model.out.bias.data += 1
    with pytest.raises(ConfigError, match="`weights` is"):
        sample_shards(model, whole, cond=torch.arange(5), **SIZES)
    assert contents(whole) == before


def test_a_folder_whose_manifest_is_damaged_is_refused(model, whole):
    (whole / "manifest.json").write_text("{")
    with pytest.raises(DataError, match=r"must be a manifest of format"):
        sample_shards(model, whole, cond=torch.arange(5), **SIZES)


def test_a_lost_manifest_is_written_again_from_complete_shards(model, whole):
    before = contents(whole)
    (whole / "manifest.json").unlink()
    (whole / "shard-00002.npz").write_bytes(before["shard-00002.npz"][:-9])
    sampling = ShardedSampling(model, whole, cond=torch.arange(5), **SIZES)
    assert sampling.missing() == [2]
    sampling.write([2])
    assert sampling.finish()
    assert contents(whole) == before


def test_without_a_manifest_shards_of_other_settings_are_refused(model, whole):
    (whole / "manifest.json").unlink()
    before = contents(whole)
    calls = r"holds shards but no manifest\.json, and shard-00000\.npz has other settings"
    with pytest.raises(ConfigError, match=calls):
        sample_shards(model, whole, cond=torch.arange(5), seed=1, **SIZES)
    assert contents(whole) == before


@pytest.mark.parametrize("shards", [None, [{}], ["a"]])
def test_a_folder_whose_manifest_was_edited_is_refused(model, whole, shards):
    manifest = json.loads((whole / "manifest.json").read_text())
    (whole / "manifest.json").write_text(json.dumps({**manifest, "shards": shards}))
    with pytest.raises(DataError, match=r"must be a manifest of format"):
        sample_shards(model, whole, cond=torch.arange(5), **SIZES)


def test_a_folder_without_shards_takes_another_plan(model, tmp_path):
    ShardedSampling(model, tmp_path / "a", cond=1, **SIZES)
    assert sample_shards(model, tmp_path / "a", cond=1, seed=1, **SIZES)
    manifest = json.loads((tmp_path / "a" / "manifest.json").read_text())
    assert manifest["recipe"]["seed"] == 1


def test_a_process_whose_folder_got_another_plan_stops(model, tmp_path):
    late = ShardedSampling(model, tmp_path / "a", cond=1, **SIZES)
    sample_shards(model, tmp_path / "a", cond=1, seed=1, **SIZES)
    before = contents(tmp_path / "a")
    with pytest.raises(ConfigError, match="`seed` is 1 there and 0 here"):
        late.write([0])
    assert contents(tmp_path / "a") == before


def test_a_file_with_a_checksum_that_is_no_shard_is_sampled_again(model, whole):
    before = contents(whole)
    for number, content in enumerate((b"no archive", pack({"notes": np.array("[")}))):
        digest = hashlib.sha256(content).hexdigest().encode()
        ended = content + digest if number == 0 else content
        (whole / f"shard-0000{number}.npz").write_bytes(ended)
    sampling = ShardedSampling(model, whole, cond=torch.arange(5), **SIZES)
    assert sampling.missing() == [0, 1]
    sampling.write([0, 1])
    assert sampling.finish()
    assert contents(whole) == before
