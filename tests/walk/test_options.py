"""Options of sampling: one list of names, checked once."""

import dataclasses

import pytest

from pixelcnn.errors import ConfigError, ShapeError
from pixelcnn.walk import Filter, SamplingKeywords, SamplingOptions


def test_keywords_and_options_have_the_same_names():
    options = {field.name for field in dataclasses.fields(SamplingOptions)}
    assert set(SamplingKeywords.__annotations__) == options - {"shape"}


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"temperature": "1"}, "`temperature` must be a number"),
        ({"top_k": 2.0}, r"`top_k` must be a whole number, got 2\.0\. Write 2\."),
        ({"top_p": 1.5}, "`top_p` must be above 0 and at most 1"),
        ({"seed": -1}, "`seed` must be a whole number from 0 to"),
        ({"batch_size": 0}, "`batch_size` must be at least 1"),
        ({"precision": "8"}, "`precision` must be one of float32, bf16, 16, got '8'"),
        ({"top_m": 3}, "`top_m` is not an option of sampling. Did you mean `top_"),
        ({"num_sample": 3}, "Did you mean `num_samples`"),
        ({"image_size": (1, 2, 3)}, "`image_size` is not an option of sampling. Use `shape`"),
        ({"device": "cpu"}, r"`model\.to\(device\)`"),
        ({"xyz": 3}, "`xyz` is not an option of sampling. Use temperature, top_k"),
    ],
)
def test_a_wrong_option_is_named(wrong, error):
    with pytest.raises(ConfigError, match=error):
        SamplingOptions.of(wrong, None)


def test_a_shape_has_three_axes():
    with pytest.raises(ShapeError, match=r"`shape` must be \(C, H, W\)"):
        SamplingOptions(shape=(3, 3))


def test_filters_and_notes_are_those_of_the_options():
    options = SamplingOptions(0.5, 3, 0.9, cond=[1, 2], shape=[1, 2, 3])
    assert options.filters == Filter(0.5, 3, 0.9)
    assert options.plain == {
        "temperature": 0.5, "top_k": 3, "top_p": 0.9, "guidance": 1.0, "seed": 0,
        "shape": (1, 2, 3), "batch_size": 256, "precision": "float32",
    }  # fmt: skip
