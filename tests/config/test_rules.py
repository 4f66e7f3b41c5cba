"""Facts about settings that contradict each other."""

import pytest

from pixelcnn.config import as_config
from pixelcnn.errors import ConfigError


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        (
            {"model": {"likelihood": "bernoulli", "num_classes": 3}},
            r"`model\.likelihood` bernoulli needs `model\.num_classes` 2, got 3",
        ),
        (
            {"model": {"num_mixtures": 5}},
            r"`model\.num_mixtures` needs `model\.likelihood` logistic_mixture, got categorical",
        ),
        (
            {"model": {"num_heads": 8}},
            r"`model\.num_heads` 8 needs `model\.attention_every`",
        ),
        (
            {"model": {"num_classes": 17}, "data": {"binarization": "threshold"}},
            r"`data\.binarization` threshold leaves 2 levels, but `model\.num_classes` is 17",
        ),
        (
            {"data": {"binarization": "dynamic", "levels": 4}},
            r"`data\.levels` must be 2 or left out with `data\.binarization` 'dynamic', got 4",
        ),
        (
            {"model": {"num_classes": 16}, "data": {"levels": 8}},
            r"`model\.num_classes` must equal `data\.levels`, got 16 and 8",
        ),
        (
            {"training": {"schedule": "plateau", "warmup_steps": 10}},
            r"`training\.warmup_steps` must be 0 with `training\.schedule` plateau, got 10",
        ),
        (
            {"model": {"num_labels": 10, "num_attributes": 4}},
            r"At most one condition .* `model\.num_labels` and `model\.num_attributes`",
        ),
        (
            {"model": {"label_dropout": 0.1}},
            r"`model\.label_dropout` needs `model\.num_labels`.*, got 0\.1 without them",
        ),
        (
            {"model": {"num_labels": 10}, "sampling": {"guidance": 2}},
            r"`sampling\.guidance` 2\.0 needs .* `model\.label_dropout`",
        ),
        (
            {"sampling": {"temperature": 0}},
            r"`sampling\.temperature` must be at least 1e-06 and finite, got 0",
        ),
        (
            {"sampling": {"top_p": 1.5}},
            r"`sampling\.top_p` must be above 0 and at most 1, got 1\.5",
        ),
        ({"sampling": {"top_k": 0}}, r"`sampling\.top_k` must be at least 1, got 0"),
        (
            {"sampling": {"guidance": -1}},
            r"`sampling\.guidance` must be 0 or more, got -1\.0",
        ),
        (
            {"model": {"num_labels": 10, "label_dropout": 1}},
            r"`model\.label_dropout` must be in \[0, 1\), got 1\.0",
        ),
    ],
)
def test_contradictions_name_both_keys(sections, message):
    with pytest.raises(ConfigError, match=message):
        as_config(**sections)


def test_settings_that_agree_are_accepted():
    config = as_config(
        model={"likelihood": "bernoulli", "num_classes": 2, "num_labels": 10},
        data={"binarization": "threshold", "levels": 2},
        training={"schedule": "cosine", "warmup_steps": 10},
    )
    assert config.data.binarization == "threshold"
    guided = as_config(model={"num_labels": 10, "label_dropout": 0.1}, sampling={"guidance": 3.0})
    assert guided.sampling.guidance == 3
    mixture = as_config(model={"likelihood": "logistic_mixture", "num_mixtures": 5})
    assert mixture.model.settings["num_mixtures"] == 5
    attending = as_config(model={"name": "pixelsnail", "num_heads": 2})
    assert attending.model.settings["num_heads"] == 2
