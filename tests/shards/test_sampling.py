"""Shards hold the images of the sampler, whichever process makes them, also when interrupted."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from pixelcnn.checkpoint import save
from pixelcnn.data import load_data
from pixelcnn.errors import ConfigError, ShapeError
from pixelcnn.inference import PixelCNNSampler
from pixelcnn.models import PixelCNN
from pixelcnn.shards import ShardedSampling, sample_shards
from tests.shards.folders import COUNT, SIZES, contents


def levels(folder: Path) -> np.ndarray:
    files = sorted(folder.glob("shard-*.npz"))
    return np.concatenate([np.load(file)["x_train"] for file in files])


def test_they_hold_the_images_of_the_sampler_in_float32_to_the_bit(model, whole):
    labels = torch.arange(COUNT) * 5 // COUNT
    images = PixelCNNSampler(model).generate_samples(COUNT, cond=labels, batch_size=3)
    assert np.array_equal(levels(whole), images)
    drawn_by = [np.load(file)["y_train"] for file in sorted(whole.glob("shard-*.npz"))]
    assert np.array_equal(np.concatenate(drawn_by), labels)


def test_two_runs_give_the_same_bytes(model, whole, tmp_path):
    sample_shards(model, tmp_path / "again", cond=torch.arange(5), **SIZES)
    assert contents(tmp_path / "again") == contents(whole)


@pytest.mark.parametrize("num_workers", [2, 3, 7])
def test_workers_share_the_shards_and_change_no_byte(model, whole, tmp_path, num_workers):
    folder, done = tmp_path / "shared", []
    for worker in reversed(range(num_workers)):
        how = {"worker": worker, "num_workers": num_workers}
        done.append(sample_shards(model, folder, cond=torch.arange(5), **how, **SIZES))
    # The first four workers have a shard each, or more: the set is whole when the last has drawn.
    assert done == [False] * (num_workers - 1) + [True]
    assert contents(folder) == contents(whole)


def test_a_worker_samples_only_its_own_shards(model, tmp_path):
    sampling = ShardedSampling(model, tmp_path / "a", cond=1, **SIZES)
    assert [sampling.missing(worker=i, num_workers=3) for i in range(3)] == [[0, 3], [1], [2]]
    sampling.write(sampling.missing(worker=1, num_workers=3))
    assert {path.name for path in sampling.folder.iterdir()} == {"manifest.json", "shard-00001.npz"}
    assert sampling.missing() == [0, 2, 3]
    assert not sampling.finish()
    with pytest.raises(ConfigError, match="from 0 to `num_workers` - 1, got 3 of 3"):
        sampling.missing(worker=3, num_workers=3)


def test_complete_shards_are_kept_and_all_others_sampled_again(model, whole):
    before = contents(whole)
    kept = (whole / "shard-00000.npz").stat().st_mtime_ns
    (whole / "shard-00001.npz").write_bytes(before["shard-00001.npz"][:-9])
    (whole / "shard-00002.npz").unlink()
    (whole / "shard-00003.npz").write_bytes(b"")
    # What `atomic_write` of a killed process leaves, and a file that is none of ours.
    (whole / ".shard-00002-0123456789ab.npz").write_bytes(b"half")
    (whole / ".manifest-0123456789ab.json").write_bytes(b"{")
    (whole / ".hidden").write_bytes(b"")
    sampling = ShardedSampling(model, whole, cond=torch.arange(5), **SIZES)
    assert sampling.missing() == [1, 2, 3]
    sampling.write([1, 2, 3])
    assert sampling.finish()
    assert contents(whole) == {**before, ".hidden": b""}
    assert (whole / "shard-00000.npz").stat().st_mtime_ns == kept


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"shard_size": 7}, "`shard_size` must be a multiple of `batch_size` 3.* Take 9"),
        ({"num_samples": 0}, "`num_samples` must be at least 1"),
        ({"cond": torch.tensor([5])}, "0 to 4"),
        ({"guidance": 2.0}, "label_dropout"),
        ({"top_k": 0}, "top_k"),
        ({"precision": "8"}, "`precision` must be one of float32, bf16, 16, got '8'"),
    ],
)
def test_wrong_settings_are_refused_before_the_folder_is_made(model, tmp_path, wrong, error):
    with pytest.raises((ConfigError, ShapeError), match=error):
        sample_shards(model, tmp_path / "a", **{"cond": 0, **SIZES, **wrong})
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"num_samples": 2.5}, "`num_samples` must be a whole number"),
        ({"shard_size": "6"}, "`shard_size` must be a whole number"),
        ({"temperature": "1"}, "`temperature` must be a number"),
        ({"guidance": None}, "`guidance` must be a number"),
        ({"cond": []}, "`cond` must hold at least one condition"),
        ({"cond": "coat"}, "`cond` must be labels"),
        ({"folder": ""}, "`folder` must be the path of a folder, got ''"),
        ({"folder": None}, "`folder` must be the path of a folder, got None"),
        ({"worker": "a"}, "`worker` must be a whole number"),
        ({"num_workers": None}, "`num_workers` must be a whole number"),
    ],
)
def test_arguments_of_another_type_are_named(model, tmp_path, wrong, error):
    with pytest.raises((ConfigError, ShapeError), match=error):
        sample_shards(model, **{"folder": tmp_path / "a", "cond": 0, **SIZES, **wrong})


def test_numbers_of_numpy_are_numbers(model, whole):
    sizes = {name: np.int64(size) for name, size in SIZES.items()}
    how = {"seed": np.int64(0), "temperature": np.float32(1), "cond": np.arange(5)}
    sampling = ShardedSampling(model, whole, **how, **sizes)
    assert sampling.missing(worker=np.int64(0), num_workers=np.int64(1)) == []


@pytest.mark.parametrize("number", [99, -1])
def test_a_shard_that_there_is_not_is_named(model, tmp_path, number):
    sampling = ShardedSampling(model, tmp_path / "a", cond=1, **SIZES)
    with pytest.raises(ConfigError, match=f"`shards` must be numbers from 0 to 3, got {number}"):
        sampling.write([number])


def test_progress_is_over_all_missing_shards(model, tmp_path):
    sampling = ShardedSampling(model, tmp_path / "a", cond=1, **SIZES)
    sampling.write([1])
    calls: list[tuple[int, int]] = []
    sampling.write(sampling.missing(), on_progress=lambda *each: calls.append(each))
    assert calls == sorted(calls)
    assert calls[-1] == (16 * 30, 16 * 30)


@pytest.mark.filterwarnings("ignore:.* has no training images of classes")
def test_a_shard_and_a_whole_folder_are_data_sets_to_train_on(whole):
    for place, count in ((whole / "shard-00001.npz", 6), (whole, COUNT)):
        data = load_data(f"npz:{place}")
        assert (data.spec.shape, data.spec.levels, data.num_labels) == ((1, 6, 5), 4, 5)
        assert len(data.train) + len(data.val) + len(data.test) == count


def test_attributes_maps_and_many_levels_are_kept(tmp_path):
    by_maps = PixelCNN(hidden_channels=4, num_classes=300, num_map_channels=2, image_size=(3, 4))
    maps = torch.rand(4, 2, 3, 4)
    sample_shards(by_maps, tmp_path / "maps", num_samples=4, cond=maps)
    data = load_data(f"npz:{tmp_path / 'maps' / 'shard-00000.npz'}", val_fraction=0.5)
    assert data.spec.levels == 300
    assert data.train.conditions.maps.shape[1:] == (2, 3, 4)
    by_attributes = PixelCNN(hidden_channels=4, num_attributes=2, image_size=3, num_classes=2)
    by_attributes.name_condition(["Bald", "Male"])
    sample_shards(by_attributes, tmp_path / "faces", num_samples=4, cond=[0.0, 1.0])
    data = load_data(f"npz:{tmp_path / 'faces' / 'shard-00000.npz'}")
    assert data.attribute_names == ("Bald", "Male")
    assert data.train.conditions.attributes.tolist()[0] == [0, 1]


def test_without_guidance_images_are_of_no_label(tmp_path):
    model = PixelCNN(
        hidden_channels=4, num_labels=3, label_dropout=0.5, image_size=3, num_classes=2
    )
    sample_shards(model, tmp_path / "a", num_samples=4, cond=[0, 1, 2], guidance=0)
    with np.load(tmp_path / "a" / "shard-00000.npz") as arrays:
        assert set(arrays) == {"x_train", "levels", "layout", "notes"}


@pytest.mark.slow
def test_workers_at_the_same_time_end_with_the_same_bytes(model, tmp_path):
    """Ten times three processes begin in one folder, and one is killed and begun again."""
    save(model, tmp_path / "model.safetensors")
    sizes = {"num_samples": 400, "shard_size": 30, "batch_size": 3}
    assert sample_shards(model, tmp_path / "whole", cond=torch.arange(5), **sizes)
    program = (
        "import sys, pixelcnn; from pixelcnn.shards import sample_shards\n"
        "model = pixelcnn.load(sys.argv[1])\n"
        "sample_shards(model, sys.argv[2], cond=[0, 1, 2, 3, 4], worker=int(sys.argv[3]), "
        f"num_workers=3, **{sizes})\n"
    )

    def begin(worker: int, folder: Path) -> subprocess.Popen:
        place = [str(tmp_path / "model.safetensors"), str(folder), str(worker)]
        return subprocess.Popen([sys.executable, "-c", program, *place])

    for number in range(10):
        folder = tmp_path / f"shared-{number}"
        workers = [begin(worker, folder) for worker in range(3)]
        while not (folder / "shard-00001.npz").exists():
            assert workers[1].poll() is None
            time.sleep(0.001)
        workers[1].kill()
        workers.append(begin(1, folder))
        assert [worker.wait() for worker in workers] == [0, -signal.SIGKILL, 0, 0]
        assert contents(folder) == contents(tmp_path / "whole")
