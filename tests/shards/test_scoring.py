"""Scores in shards are those of all images at once, to the bit, whoever measures them."""

import numpy as np
import pytest
import torch

import pixelcnn.shards.scoring
from pixelcnn.data import TensorImageSet
from pixelcnn.data.sources.folders.shard_folder import read_manifest
from pixelcnn.errors import ConfigError
from pixelcnn.inference import score, score_unconditionally
from pixelcnn.models import PixelCNN
from pixelcnn.shards import ShardedScoring

COUNT = 22
SIZES = {"shard_size": 6, "batch_size": 3, "images": "made up"}


@pytest.fixture
def model() -> PixelCNN:
    """In float32, as people score."""
    made = PixelCNN(hidden_channels=8, num_residual_blocks=1, num_classes=4, num_labels=5)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return made.eval()


@pytest.fixture
def image_set() -> TensorImageSet:
    return TensorImageSet(torch.randint(4, (COUNT, 1, 6, 5)), torch.arange(COUNT) % 5, levels=4)


def joined(scoring: ShardedScoring) -> np.ndarray:
    found = list(scoring.results())
    assert np.concatenate([numbers for numbers, _ in found]).tolist() == list(range(COUNT))
    return np.concatenate([nats for _, nats in found])


@pytest.mark.parametrize("num_workers", [1, 2, 3])
def test_they_are_those_of_all_images_at_once_to_the_bit(model, image_set, tmp_path, num_workers):
    for worker in reversed(range(num_workers)):
        scoring = ShardedScoring(model, image_set, tmp_path, **SIZES)
        scoring.write(scoring.missing(worker=worker, num_workers=num_workers))
    assert scoring.finish()
    whole = score(model, image_set.images.long(), image_set.labels, batch_size=3)
    assert np.array_equal(joined(scoring), whole.nats.numpy())


def test_without_labels_they_are_summed_out(model, image_set, tmp_path):
    calls: list[tuple[int, int]] = []
    scoring = ShardedScoring(model, image_set.with_labels(None), tmp_path, **SIZES)
    scoring.write(scoring.missing(), on_progress=lambda *each: calls.append(each))
    assert scoring.finish()
    whole = score_unconditionally(model, image_set.images.long(), batch_size=3)
    assert np.array_equal(joined(scoring), whole.nats.numpy())
    assert calls == sorted(calls) and calls[-1] == (COUNT, COUNT)


def test_a_lost_shard_is_measured_again(model, image_set, tmp_path):
    scoring = ShardedScoring(model, image_set, tmp_path, **SIZES)
    scoring.write(scoring.missing())
    assert scoring.finish()
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    (tmp_path / "shard-00001.npz").unlink()
    (tmp_path / "shard-00003.npz").write_bytes(before["shard-00003.npz"][:-1])
    again = ShardedScoring(model, image_set, tmp_path, **SIZES)
    assert again.missing() == [1, 3]
    again.write([1, 3])
    assert again.finish()
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_folder_of_another_scoring_is_refused(model, image_set, tmp_path):
    scoring = ShardedScoring(model, image_set, tmp_path, **SIZES)
    scoring.write([0])
    with pytest.raises(ConfigError, match='`images` is "made up" there and "others" here'):
        ShardedScoring(model, image_set, tmp_path, **{**SIZES, "images": "others"})
    with pytest.raises(ConfigError, match='`condition` is "labels" there and null here'):
        ShardedScoring(model, image_set.with_labels(None), tmp_path, **SIZES)
    with pytest.raises(ConfigError, match="sampled anew in every epoch"):
        ShardedScoring(model, image_set.dynamically_binarized(), tmp_path, **SIZES)


def test_a_batch_of_no_image_is_refused(model, image_set, tmp_path):
    with pytest.raises(ConfigError, match="`batch_size` must be"):
        ShardedScoring(model, image_set, tmp_path, **{**SIZES, "batch_size": 0})
    assert not list(tmp_path.iterdir())


def test_one_density_is_chosen_for_all_shards_and_named(tmp_path):
    model = dropping()
    x = model.generate((1, 6, 5), num_samples=COUNT, cond=torch.arange(COUNT) % 5, seed=1)
    scoring = ShardedScoring(model, TensorImageSet(x, None, levels=4), tmp_path, **SIZES)
    scoring.write(scoring.missing())
    assert scoring.density == score_unconditionally(model, x).density == "labels summed out"
    whole = score_unconditionally(model, x, density=scoring.density, batch_size=3)
    assert np.array_equal(joined(scoring), whole.nats.numpy())


def test_a_folder_without_a_density_goes_on_with_the_no_label_output(
    image_set, tmp_path, monkeypatch
):
    """As folders were begun before there was a choice."""
    model = dropping()
    with monkeypatch.context() as patch:
        patch.setattr(pixelcnn.shards.scoring.ShardedScoring, "_choose_density", no_label_output)
        scoring = ShardedScoring(model, image_set.with_labels(None), tmp_path, **SIZES)
        scoring.write([0])
    assert "density" not in read_manifest(tmp_path)["recipe"]
    scoring = ShardedScoring(model, image_set.with_labels(None), tmp_path, **SIZES)
    assert (scoring.density, scoring.missing()) == ("no-label output", [1, 2, 3])
    scoring.write(scoring.missing())
    assert np.array_equal(joined(scoring), score(model, image_set.images, batch_size=3).nats)


def no_label_output(*_) -> str:
    return "no-label output"


def dropping() -> PixelCNN:
    """With two densities."""
    torch.manual_seed(0)
    options = {"num_labels": 5, "label_dropout": 0.1, "hidden_channels": 8, "num_classes": 4}
    made = PixelCNN(num_residual_blocks=1, **options)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return made.eval()
