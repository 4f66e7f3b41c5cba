import copy
import inspect
import json
from typing import get_type_hints

import pytest
from typing_extensions import Unpack

from pixelcnn.errors import ConfigError
from pixelcnn.models import MODELS, AutoregressiveModel
from pixelcnn.models.options import SharedOptions, check_kernels, cycled
from pixelcnn.nn import ReceptiveField


def test_dilations_are_repeated_as_often_as_needed():
    assert cycled([1, 2, 4], 5) == [1, 2, 4, 1, 2]
    assert cycled((1, 2), 1) == [1]
    assert cycled(None, 3) == [1, 1, 1]
    assert cycled([3], 0) == []


@pytest.mark.parametrize("dilations", [[], [0], [1, -1]])
def test_dilations_that_are_none_are_refused(dilations):
    with pytest.raises(ConfigError, match="dilations"):
        cycled(dilations, 3)


def test_windows_need_a_centre_and_neighbours():
    for kernel_size in (1, 4, -3):
        with pytest.raises(ConfigError, match=f"`kernel_size` must be odd .* {kernel_size}"):
            check_kernels(kernel_size=kernel_size)
    check_kernels(kernel_size=3, first_kernel_size=7)


class Small(AutoregressiveModel):
    """A model that predicts nothing, with one argument of its own."""

    def __init__(self, *, size: tuple[int, int] = (1, 1), **shared: Unpack[SharedOptions]) -> None:
        super().__init__(**shared)

    def forward(self, x, cond=None, cursor=None):
        raise NotImplementedError

    def receptive_field(self):
        return ReceptiveField.of([])


def test_a_signature_shows_own_and_shared_arguments_with_their_types():
    arguments = inspect.signature(Small).parameters
    assert next(iter(arguments)) == "size"
    shared = inspect.signature(AutoregressiveModel).parameters
    assert {**arguments} == {"size": arguments["size"], **shared}
    assert arguments["label_dropout"].default == 0.0


def test_the_typed_dictionary_lists_what_every_model_takes():
    shared = inspect.signature(AutoregressiveModel).parameters
    assert get_type_hints(SharedOptions) == {name: p.annotation for name, p in shared.items()}


def test_arguments_are_kept_in_types_that_json_has():
    config = Small(size=(2, 3), num_classes=4).config
    assert config == json.loads(json.dumps(config))
    assert (config["size"], config["num_classes"], config["in_channels"]) == ([2, 3], 4, 1)


def test_a_copy_keeps_the_arguments():
    assert copy.deepcopy(Small(num_classes=4)).config == Small(num_classes=4).config


@pytest.mark.parametrize("model", [Small, *MODELS.values()])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"input_channels": 1}, r"takes .*, got `input_channels`\. Did you mean `in_channels`\?"),
        ({"num_classes": "many"}, r"`num_classes` must be a whole number, got 'many'"),
        ({"label_dropout": None}, r"`label_dropout` must be a number, got None"),
        ({"image_size": (1, 2, 3)}, r"`image_size` must be .* pair of whole numbers or null"),
        ({"num_classes": 1}, r"`num_classes` must be from 2 to 65536, got 1"),
        ({"in_channels": 0}, r"`in_channels` must be .* at least 1, got 0"),
        ({"image_size": 0}, r"`image_size` must be .* at least 1, got 0"),
    ],
)
def test_wrong_arguments_are_named(model, arguments, message):
    with pytest.raises(ConfigError, match=message):
        model(**arguments)


def test_256_levels_are_the_default():
    assert Small().num_classes == 256
    assert Small().likelihood.name == "categorical"
    assert Small(num_classes=2).likelihood.name == "bernoulli"
