"""Augmentation changes what is learned from, and nothing that is judged: over a whole training."""

from contextlib import nullcontext

import numpy as np
import pytest
import torch

from pixelcnn.config import as_config
from pixelcnn.config.images import load_images
from pixelcnn.data import DataWarning, batches, load_data
from pixelcnn.errors import ConfigError
from pixelcnn.evaluation import evaluate
from pixelcnn.evaluation.loaders import read_loader
from pixelcnn.models import PixelCNN
from pixelcnn.training.loaders import make_loaders
from pixelcnn.training.module import PixelCNNTrainer
from tests.training.tiny_runs import train

pytestmark = pytest.mark.filterwarnings("ignore::pixelcnn.data.DataWarning")

CHANGES = {"use_augmentation": True, "colour_jitter": 0.4, "mutation_rate": 0.3}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Forty RGB images, no two pixels of them alike."""
    path = tmp_path_factory.mktemp("data") / "photos.npz"
    x = np.random.default_rng(0).integers(256, size=(40, 4, 5, 3), dtype=np.uint8)
    np.savez(path, x_train=x)
    return f"npz:{path}"


def same_images(seen, images):
    return torch.equal(torch.cat([batch.x for batch in seen]), images.images.long())


@pytest.mark.parametrize("change", [*CHANGES, "all"])
def test_validation_and_test_images_arrive_as_they_are(photos, tmp_path, monkeypatch, change):
    changes = CHANGES if change == "all" else {change: CHANGES[change]}
    seen = {"training_step": [], "validation_step": []}
    for step in seen:
        taken = getattr(PixelCNNTrainer, step)

        def noted(self, batch, *rest, _step=step, _taken=taken):
            seen[_step].append(batch)
            return _taken(self, batch, *rest)

        monkeypatch.setattr(PixelCNNTrainer, step, noted)
    result = train(
        tmp_path,
        model={"likelihood": "logistic_mixture"},
        data={"dataset_name": photos, "batch_size": 8, **changes},
    )
    val, plain = result.data.val, load_data(photos)
    count = len(seen["validation_step"]) // 2
    for epoch in range(2):
        assert same_images(seen["validation_step"][epoch * count : (epoch + 1) * count], val)
    for split in ("train", "val", "test"):
        assert torch.equal(getattr(result.data, split).images, getattr(plain, split).images)
    learned = torch.cat([batch.x for batch in seen["training_step"]])
    originals = {x.numpy().tobytes() for x in plain.train.images.long()}
    assert sum(x.numpy().tobytes() not in originals for x in learned) > len(learned) / 4
    best = min(entry["val_nll"] for entry in result.history)
    assert evaluate(result.model, plain.val)["nll_nats"] == pytest.approx(best, rel=1e-5)


@pytest.mark.parametrize(
    "option", [{"augment": True}, {"colour_jitter": 0.1}, {"mutation_rate": 0.1}]
)
def test_changed_images_cannot_be_evaluated(photos, option):
    changed = batches(load_data(photos).train, 8, **option)
    with pytest.raises(ConfigError, match="evaluated once and unchanged"):
        read_loader(changed, PixelCNN(in_channels=3, num_classes=256))


def test_the_order_of_training_is_the_same_with_and_without_changes(photos):
    def first_epoch(**changes):
        config = as_config(data={"dataset_name": photos, "batch_size": 8, **changes}, device="cpu")
        train, _ = make_loaders(config, load_images(config))
        return torch.cat([batch.x for batch in train])

    plain = first_epoch()
    flipped = first_epoch(use_augmentation=True)
    mirrored = (plain != flipped).flatten(1).any(1)
    assert 0 < mirrored.sum() < len(plain)
    assert torch.equal(flipped[mirrored], plain.flip(-1)[mirrored])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"dataset_name": "digits", "use_augmentation": True}, "mirrored digits are no digits"),
        ({"colour_jitter": 0.1}, "of exact levels, and jitter makes levels that no image has"),
        ({"use_augmentation": True}, ""),
        ({"mutation_rate": 0.1}, ""),
        ({}, ""),
    ],
    ids=str,
)
def test_unwise_changes_are_warned_of_when_training_and_only_then(photos, settings, words):
    config = as_config(data={"dataset_name": photos, **settings}, device="cpu")
    data = load_images(config)
    with pytest.warns(DataWarning, match=words) if words else nullcontext():
        make_loaders(config, data)


def test_the_protocol_says_how_training_images_were_changed(photos):
    config = as_config(data={"dataset_name": photos, **CHANGES}, device="cpu")
    assert load_images(config).protocol.endswith(
        "; colours of training images changed by up to 0.4; 0.3 of the sub-pixels of training "
        "images replaced"
    )


def test_colours_of_images_without_colours_are_refused_before_training():
    config = as_config(data={"dataset_name": "digits", "colour_jitter": 0.2}, device="cpu")
    data = load_images(config)
    with pytest.raises(ConfigError, match="`colour_jitter` must be 0 unless images are RGB"):
        make_loaders(config, data)
