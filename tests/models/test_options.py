import pytest

from pixelcnn.errors import ConfigError
from pixelcnn.models.options import arguments_of, check_kernels, cycled


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


def test_arguments_are_kept_in_types_that_json_has():
    class Model:
        def __init__(self, size, name=None):
            self.config = arguments_of(locals())

    assert Model((2, 3)).config == {"size": [2, 3], "name": None}
