"""How words of a command line become the condition of each image."""

import numpy as np
import pytest
import torch

from pixelcnn.cli.inputs.conditions import (
    ConditionRequest,
    attribute_vector,
    choose_condition,
    label_number,
)
from pixelcnn.errors import ConfigError, DataError
from pixelcnn.models import PixelCNN
from pixelcnn.nn import Condition

TINY = {"num_classes": 2, "hidden_channels": 4, "num_residual_blocks": 1, "image_size": (3, 5)}
FACES = Condition(num_attributes=3, names=("Bald", "Male", "Smiling"))


def model_of(names=None, **options):
    model = PixelCNN(**TINY, **options).eval()
    model.name_condition(names)
    return model


@pytest.mark.parametrize(
    ("labels", "num_samples", "per_label", "expected"),
    [
        ([], 6, None, [0, 0, 1, 1, 2, 2]),
        ([], 2, None, [0, 1]),
        ([], 16, 1, [0, 1, 2]),
        (["dog", "0"], 3, None, [2, 2, 0]),
        (["dog"], 16, 2, [2, 2]),
    ],
)
def test_labels_are_shared_evenly(labels, num_samples, per_label, expected):
    model = model_of(["ant", "cat", "Dog"], num_labels=3)
    cond, count = choose_condition(model, ConditionRequest(num_samples, labels, per_label))
    assert cond.tolist() == expected
    assert count == len(expected)


def test_a_name_goes_before_a_number():
    assert label_number("1", ["1", "0"]) == 0


@pytest.mark.parametrize("label", ["3", "bird", "-1", ""])
def test_the_error_for_unknown_labels_lists_the_known_ones(label):
    with pytest.raises(ConfigError, match=r"one of ant, cat, Dog, or a number from 0 to 2"):
        label_number(label, ["ant", "cat", "Dog"])


@pytest.mark.parametrize(
    ("text", "vector"),
    [
        ("Smiling,Male", [0, 1, 1]),
        (" smiling , bald ", [1, 0, 1]),
        ("male=-0.5", [0, -0.5, 0]),
        ("0.5,1,0", [0.5, 1, 0]),
        ("", [0, 0, 0]),
    ],
)
def test_attributes_are_names_that_are_on_or_all_numbers(text, vector):
    assert attribute_vector(text, FACES) == vector


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("0,1", r"3 numbers, for a vector .* \(Bald, Male, Smiling\), got 2: 0,1"),
        ("Smiling,Tall", "names out of Bald, Male, Smiling, or 3 numbers, got 'Tall'"),
        ("Smiling=much", "got 'Smiling=much'"),
        ("0,1,nan", "finite .*, got 'nan'"),
        ("0,1,1e300", "finite .*, got '1e300'"),
        ("Smiling=inf", "finite .*, got 'Smiling=inf'"),
    ],
)
def test_the_error_for_unknown_attributes_lists_the_known_ones(text, word):
    with pytest.raises(ConfigError, match=word):
        attribute_vector(text, FACES)


def test_attribute_vectors_are_shared_evenly():
    model = model_of(FACES.names, num_attributes=3)
    cond, count = choose_condition(model, ConditionRequest(3, attributes=["Bald", "0,0,0.5"]))
    assert cond.tolist() == [[1, 0, 0], [1, 0, 0], [0, 0, 0.5]]
    assert count == 3


def test_there_is_an_image_for_each_map_or_as_many_as_asked_for(tmp_path):
    maps = np.arange(2 * 3 * 5, dtype=np.uint8).reshape(2, 1, 3, 5)
    np.save(tmp_path / "maps.npy", maps)
    np.savez(tmp_path / "maps.npz", maps=maps[0], x=maps)
    model = model_of(num_map_channels=1)
    cond, count = choose_condition(model, ConditionRequest(maps=tmp_path / "maps.npy"))
    assert (count, cond.dtype) == (2, torch.float32)
    assert np.array_equal(cond, maps)
    cond, count = choose_condition(model, ConditionRequest(3, maps=tmp_path / "maps.npz"))
    assert count == 3
    assert np.array_equal(cond, maps[[0, 0, 0]])


def test_maps_that_do_not_fit_are_refused(tmp_path):
    model = model_of(num_map_channels=2)
    np.save(tmp_path / "maps.npy", np.zeros((4, 1, 3, 5)))
    with pytest.raises(ConfigError, match=r"shape \(N, 2, H, W\).* got float64 of shape \(4, 1"):
        choose_condition(model, ConditionRequest(maps=tmp_path / "maps.npy"))
    np.savez(tmp_path / "other.npz", planes=np.zeros((4, 2, 3, 5)))
    with pytest.raises(ConfigError, match="must hold the array `maps`, got `planes`"):
        choose_condition(model, ConditionRequest(maps=tmp_path / "other.npz"))
    np.save(tmp_path / "large.npy", np.full((2, 3, 5), 1e300))
    with pytest.raises(ConfigError, match="`--maps` must hold finite"):
        choose_condition(model, ConditionRequest(maps=tmp_path / "large.npy"))
    with pytest.raises(DataError, match="no file"):
        choose_condition(model, ConditionRequest(maps=tmp_path / "absent.npy"))


@pytest.mark.parametrize(
    ("options", "names", "word"),
    [
        ({"num_attributes": 2}, ("Bald", "Male"), r"\(Bald, Male\).* `--attributes Male`"),
        ({"num_attributes": 2}, ("0", "1"), "`--attributes 1=1`"),
        ({"num_attributes": 2}, None, "`--attributes 0,1`"),
        ({"num_map_channels": 2}, None, r"a map of 2 channels .* `--maps FILE\.npy`"),
    ],
)
def test_a_model_that_needs_a_condition_says_which(options, names, word):
    with pytest.raises(ConfigError, match=word):
        choose_condition(model_of(names, **options), ConditionRequest())


@pytest.mark.parametrize(
    ("options", "request_", "word"),
    [
        (
            {},
            ConditionRequest(labels=["0"]),
            "is unconditional, got labels. Leave out --label",
        ),
        (
            {},
            ConditionRequest(per_label=2),
            "is unconditional, got labels. Leave out --label",
        ),
        (
            {"num_labels": 2},
            ConditionRequest(attributes=["1"]),
            "conditioned on one label .* got attributes. Leave out --attributes",
        ),
        (
            {"num_attributes": 2},
            ConditionRequest(labels=["1"]),
            "conditioned on a vector of 2 .* got labels",
        ),
        (
            {"num_attributes": 2},
            ConditionRequest(maps="a.npy"),
            "conditioned on a vector of 2 .* got maps. Leave out --maps",
        ),
    ],
)
def test_conditions_of_another_kind_are_refused(options, request_, word):
    with pytest.raises(ConfigError, match=word):
        choose_condition(model_of(**options), request_)
