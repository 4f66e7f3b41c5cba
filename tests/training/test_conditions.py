"""Facts about trainings on attributes and maps, on a few 8×8 digits in a file."""

import numpy as np
import pytest

from pixelcnn import checkpoint
from pixelcnn.config import ModelConfig
from pixelcnn.data import load_data
from pixelcnn.evaluation import evaluate
from pixelcnn.runs import load_trained
from pixelcnn.training import build_model
from tests.training.tiny_runs import train

NAMES = ("round", "mean level")


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    """Digits with two attributes, and their own left half as a map."""
    images = load_data("digits", max_samples=40).train
    x = images.images.numpy()
    maps = x * (np.arange(8) < 4)
    attributes = np.stack([np.isin(images.labels, (0, 6, 8, 9)), x.mean((1, 2, 3)) / 16], 1)
    path = tmp_path_factory.mktemp("data") / "described.npz"
    np.savez(
        path,
        x_train=x,
        y_train=images.labels,
        attributes_train=attributes,
        attribute_names=NAMES,
        maps_train=maps,
        levels=17,
    )
    return f"npz:{path}"


@pytest.mark.parametrize(
    ("option", "names"), [({"num_attributes": 2}, NAMES), ({"num_map_channels": 1}, None)]
)
def test_a_model_learns_from_the_condition_that_it_takes(described, tmp_path, option, names):
    result = train(
        tmp_path,
        model=option,
        training={"learning_rate": 1e-2},
        data={"dataset_name": described, "max_samples": None, "use_augmentation": True},
        logger={"sample_every_n_epochs": 2},
        sampling_config={"num_samples": 5},
    )
    model = result.model
    assert model.condition.names == names
    assert any(p.abs().max() > 0 for n, p in model.named_parameters() if "cond" in n)
    figures = evaluate(model, result.data.val)
    assert figures["nll_nats"] == pytest.approx(result.history[-1]["val_nll"], rel=1e-5)
    card = checkpoint.read_card(tmp_path / "model.safetensors")
    assert card["attributes"] == (None if names is None else list(names))
    assert load_trained(tmp_path / "checkpoints" / "last.ckpt").condition.names == names
    assert (tmp_path / "samples" / "epoch-002.png").is_file()


@pytest.mark.parametrize(
    "option", [{"num_labels": 10}, {"num_attributes": 2}, {"num_map_channels": 1}]
)
def test_of_several_conditions_the_model_takes_its_own(described, option):
    data = load_data(described)
    model = build_model(ModelConfig(hidden_channels=8, **option), data)
    assert evaluate(model, data.test)["num_images"] == len(data.test)
