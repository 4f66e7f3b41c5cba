"""Registries hold implementations of one kind."""

import pytest

from pixelcnn.data import DATASETS
from pixelcnn.errors import ConfigError
from pixelcnn.likelihoods import LIKELIHOODS
from pixelcnn.models import MODELS


@pytest.mark.parametrize(
    ("registry", "name", "entry", "words"),
    [
        (MODELS, "foo", int, "`name` 'foo' must stand for a subclass of `AutoregressiveModel`"),
        (LIKELIHOODS, "foo", 3, "`likelihood` 'foo' must stand for a subclass of `Likelihood`"),
        (DATASETS, "foo", 3, "`dataset_name` 'foo' must stand for a function, got 3"),
        (DATASETS, len, len, "`dataset_name` must be a name, got <built-in function len>"),
    ],
)
def test_other_than_implementations_are_refused(registry, name, entry, words):
    with pytest.raises(ConfigError, match=words):
        registry.register(name)(entry)
    assert name not in registry
