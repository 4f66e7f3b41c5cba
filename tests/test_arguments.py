"""Arguments of the wrong kind are named, with what must hold and what came."""

import numpy as np
import pytest
import torch

import pixelcnn
from pixelcnn.arguments import (
    check_tensor,
    image_shape,
    numbers_of,
    real_number,
    seed_number,
    to_whole,
    to_wholes,
    whole_number,
)
from pixelcnn.errors import ConfigError, ShapeError
from pixelcnn.inference import expectation

NOT_WHOLE = [1e3, 2.5, "5", True, np.True_, None, [1], float("nan"), float("inf")]


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3), torch.tensor(3)])
def test_whole_numbers_of_any_library_become_ints(value):
    assert type(whole_number("n", value)) is int
    assert (to_whole(value), whole_number("n", value), seed_number(value)) == (3, 3, 3)


@pytest.mark.parametrize("value", NOT_WHOLE, ids=str)
def test_other_than_whole_numbers_are_refused(value):
    assert to_whole(value) is None
    with pytest.raises(ConfigError, match="`num_draws` must be a whole number, got "):
        whole_number("num_draws", value)
    with pytest.raises(ConfigError, match=r"`seed` must be a whole number from 0 to 2\*\*64 - 1"):
        seed_number(value)
    with pytest.raises(ShapeError, match=r"`shape` must be \(C, H, W\)"):
        image_shape((1, value, 3))


def test_a_float_that_is_whole_is_written_out():
    with pytest.raises(ConfigError, match=r"got 1000\.0\. Write 1000\.$"):
        whole_number("n", 1e3)


def test_numbers_out_of_range_are_refused():
    with pytest.raises(ConfigError, match="`n` must be at least 2, got 1"):
        whole_number("n", 1, at_least=2)
    assert whole_number("n", -7, at_least=None) == -7
    assert seed_number(2**64 - 1) == 2**64 - 1
    for seed in (-1, 2**64):
        with pytest.raises(ConfigError, match=f"2\\*\\*64 - 1, got {seed}"):
            seed_number(seed)


@pytest.mark.parametrize("shape", [(3, 3), 3, None, "abc", (1, -3, 3), (1, 0, 3), (1, 1, 3, 3)])
def test_other_than_shapes_are_refused(shape):
    with pytest.raises(ShapeError, match=r"`shape` must be \(C, H, W\), whole numbers of at least"):
        image_shape(shape)


def test_shapes_and_sites_of_any_library_become_ints():
    assert image_shape(np.array([1, 2, 3])) == (1, 2, 3)
    assert to_wholes(torch.Size([4, 5])) == (4, 5)
    assert to_wholes([]) == ()


@pytest.mark.parametrize("value", ["a", None, True])
def test_other_than_numbers_are_refused(value):
    with pytest.raises(ConfigError, match="`share` must be a number"):
        real_number("share", value)
    assert real_number("share", np.float32(0.5)) == 0.5


def test_the_error_for_arrays_says_how_to_make_a_tensor():
    for value in (np.zeros(3), [0], (0,)):
        with pytest.raises(ShapeError, match=r"got \w+\. Use `torch\.as_tensor\(known\)`\.$"):
            check_tensor("known", value, "booleans")
    with pytest.raises(ShapeError, match=r"got None\. Name one\.$"):
        check_tensor("known", None, "booleans", otherwise="Name one.")


@pytest.mark.parametrize("value", ["uniform", ["a"], object(), [[1], [1, 2]], 2**70])
def test_values_without_numbers_are_refused(value):
    with pytest.raises(ShapeError, match="`prior` must be 3 numbers, got "):
        numbers_of("prior", value, "3 numbers")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pixelcnn.PixelCNNSampler(modell=1), "got `modell`. Did you mean `model`"),
        (lambda: pixelcnn.PixelCNNEvaluator(devices="cpu"), "Did you mean `device`"),
        (lambda: pixelcnn.ImageSpec(1, 2, 3, level=4), "Did you mean `levels`"),
        (lambda: pixelcnn.PixelCNN(3), "`PixelCNN` takes .*, each by name, got 1 without a name"),
        (
            lambda: pixelcnn.PixelCNNSampler(1, 2, 3),
            "after number 2 by name only, got 3 without a name. Write name=value",
        ),
        (lambda: pixelcnn.verify(model=1, num_sites=3), "`verify` takes .*, got `num_sites`"),
        (lambda: pixelcnn.train_pixelcnn(model_confg={}), "Did you mean `model_config`"),
        (
            lambda: pixelcnn.TrainingConfig(max_epoch=1),
            "got `max_epoch`. Did you mean `max_epochs`",
        ),
        (lambda: pixelcnn.DataConfig(dataset="mnist"), "Did you mean `dataset_name`"),
        (lambda: pixelcnn.Config(sed=1), "Did you mean `seed`"),
        (lambda: pixelcnn.SamplingOptions(temp=3), "got `temp`. Did you mean `temperature`"),
        (lambda: pixelcnn.score(1, 2, labels=3), "`score` takes .*, got `labels`"),
        (lambda: pixelcnn.score_unconditionally(1, 2, priors=3), "Did you mean `prior`"),
        (lambda: pixelcnn.classify(1, 2, priors=3), "Did you mean `prior`"),
        (lambda: pixelcnn.marginal(1, (0, 0), num_samples=5), "got `num_samples`"),
        (lambda: pixelcnn.known_mask("top", shap=(1, 2, 3)), "Did you mean `shape`"),
        (lambda: pixelcnn.evaluate(1, 2, max_sample=3), "Did you mean `max_samples`"),
        (lambda: pixelcnn.sample_shards(1, 2, num_sample=3), "Did you mean `num_samples`"),
        (lambda: pixelcnn.load_data(dataset="mnist"), "Did you mean `dataset_name`"),
        (lambda: expectation(1, 2, num_time=3), "Did you mean `num_times`"),
        (lambda: pixelcnn.quantise(torch.zeros(1), level=2), "Did you mean `levels`"),
        (
            lambda: pixelcnn.PixelCNNEvaluator().evaluate_model(1, 2, nun_generated=5),
            "`PixelCNNEvaluator.evaluate_model` takes .* Did you mean `num_generated`",
        ),
        (lambda: pixelcnn.conditional(1, 2, given=3), "missing a required argument: 'known'"),
    ],
)
def test_wrong_arguments_of_public_classes_and_functions_are_named(call, message):
    with pytest.raises(ConfigError, match=message):
        call()
