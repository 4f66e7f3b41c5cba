"""Facts about fitting a model to the data at hand."""

from dataclasses import replace

import pytest
import torch

from pixelcnn.config import ModelConfig
from pixelcnn.data import DataSplits, DataWarning, TensorImageSet, load_data
from pixelcnn.errors import ConfigError
from pixelcnn.training import build_model


@pytest.fixture(scope="module")
def digits() -> DataSplits:
    return load_data("digits", max_samples=200)


def test_the_shape_comes_from_the_data(digits):
    model = build_model(ModelConfig(hidden_channels=8), digits)
    assert model.spec == digits.spec
    assert model.likelihood.name == "categorical"
    assert model.num_labels is None


def test_what_is_left_out_is_the_architectures_own(digits):
    model = build_model(ModelConfig(), digits)
    assert (model.config["hidden_channels"], model.config["num_residual_blocks"]) == (64, 4)


def test_each_architecture_takes_its_own_settings(digits):
    model = build_model(ModelConfig(name="gated", num_layers=2, kernel_size=5), digits)
    assert model.receptive_field()[:3] == (5, 5, 5)
    with pytest.raises(ConfigError, match=r"`model\.kernel_size` is not .* pixelcnn\. It takes"):
        build_model(ModelConfig(kernel_size=5), digits)
    with pytest.raises(ConfigError, match=r"`model\.num_residual_blocks` is not .* model gated"):
        build_model(ModelConfig(name="gated", num_residual_blocks=2), digits)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "pixelrnn"}, r"`model\.name` must be one of pixelcnn.*, got 'pixelrnn'"),
        ({"in_channels": 3}, r"`model\.in_channels` must be 1, .* got 3"),
        ({"num_classes": 256}, r"`model\.num_classes` must be 17, .*set `data\.levels` to 256"),
        ({"likelihood": "bernoulli"}, r"`model\.likelihood` bernoulli needs `.*classes` 2, got 17"),
        ({"num_labels": 4}, r"`model\.num_labels` must be at least 10, .* got 4"),
        ({"num_attributes": 4}, r"`model\.num_attributes` is 4, but .* labels, and no attributes"),
        ({"num_map_channels": 1}, r"`model\.num_map_channels` is 1, but these .* no maps"),
    ],
)
def test_what_does_not_fit_is_named(digits, settings, message):
    with pytest.raises(ConfigError, match=message):
        build_model(ModelConfig(**settings), digits)


def test_labels_need_labelled_images(digits):
    assert isinstance(digits.train, TensorImageSet)
    unlabelled = TensorImageSet(digits.train.images, levels=17)
    data = DataSplits(unlabelled, unlabelled, unlabelled, digits.spec, None, "none")
    with pytest.raises(ConfigError, match=r"`model\.num_labels` is 10, .* no labels"):
        build_model(ModelConfig(num_labels=10), data)


def test_the_length_of_attributes_and_maps_must_be_that_of_the_data(digits):
    count = len(digits.train)
    images = TensorImageSet(
        digits.train.images,
        attributes=torch.zeros(count, 2),
        maps=torch.zeros(count, 3, 8, 8),
        levels=17,
    )
    data = DataSplits(images, images, images, digits.spec, None, "none", ("wide", "bold"))
    with pytest.raises(ConfigError, match=r"num_attributes` must be 2, .* \(wide, bold\), got 4"):
        build_model(ModelConfig(num_attributes=4), data)
    with pytest.raises(ConfigError, match=r"num_map_channels` must be 3, .*, got 1"):
        build_model(ModelConfig(num_map_channels=1), data)
    model = build_model(ModelConfig(num_attributes=2), data)
    assert model.condition.names == ("wide", "bold")


def test_labels_are_named_as_far_as_the_model_knows_them(digits):
    few = digits.train.take((digits.train.labels < 4).nonzero()[:, 0])
    data = replace(digits, train=few)
    assert build_model(ModelConfig(num_labels=5), data).condition.names == tuple("01234")
    with pytest.warns(DataWarning, match=r"is 12 and .* have 10 labels: samples of the other 2"):
        more = build_model(ModelConfig(num_labels=12), digits)
    assert more.condition.names == tuple("0123456789")
