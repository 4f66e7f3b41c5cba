import numpy as np
import pytest
import torch

from pixelcnn.errors import ConfigError, ShapeError
from pixelcnn.spec import (
    FloatReader,
    ImageSpec,
    check_levels,
    quantise,
    requantise,
    to_signed,
    to_steps,
    to_unit,
)


@pytest.mark.parametrize("levels", [2, 3, 16, 17, 255, 256, 1000, 4096, 65_536])
def test_every_level_survives_the_round_trip(levels):
    x = torch.arange(levels)
    assert torch.equal(quantise(to_unit(x, levels), levels), x)
    assert torch.equal(quantise((to_signed(x, levels, dtype=torch.float64) + 1) / 2, levels), x)


@pytest.mark.parametrize("levels", [2, 3, 256, 65_536])
def test_steps_from_the_middle_are_exact_in_single_precision(levels):
    x = torch.arange(levels)
    steps = to_steps(x, levels)
    assert torch.equal(steps.double() * 2, 2.0 * x.double() - (levels - 1))
    assert torch.equal(steps, -steps.flip(0))


def test_rounding_is_to_the_nearest_and_never_down():
    eighths = torch.tensor([0.0, 0.12, 0.13, 0.37, 0.38, 0.999])
    assert quantise(eighths, 5).tolist() == [0, 0, 1, 1, 2, 4]


def test_bytes_divided_by_255_come_back_whatever_the_precision():
    x = torch.arange(256)
    for dtype in (torch.float32, torch.float64):
        assert torch.equal(quantise(x.to(dtype) / 255, 256), x)


@pytest.mark.parametrize("bad", [-0.1, 1.1, float("nan")])
def test_floats_outside_the_unit_interval_are_refused(bad):
    with pytest.raises(ShapeError, match="Floats must lie in"):
        quantise(torch.tensor([0.5, bad]), 4)


@pytest.mark.parametrize("levels", [-1, 0, 1, 2.5, 4.0, 65_537, "4"])
def test_other_than_a_number_of_levels_is_refused(levels):
    with pytest.raises(ConfigError, match=r"`levels` must be (from 2 to 65536|a whole number)"):
        quantise(torch.tensor([0.5]), levels)


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        (torch.tensor([0, 1]), "got dtype torch.int64. Integers are levels already"),
        (torch.tensor([True]), r"Use `unit\.long\(\)`"),
        (np.zeros(2), r"`unit` must be a torch tensor .*Use `torch\.as_tensor\(unit\)`"),
        (None, "got None"),
    ],
)
def test_other_than_floats_are_not_quantised(unit, words):
    with pytest.raises(ShapeError, match=words):
        quantise(unit, 4)
    assert quantise(torch.zeros(0, 1), 4).shape == (0, 1)


@pytest.mark.parametrize("levels", [2, 16, 17, 256, 65_536])
def test_floats_of_either_range_are_read_as_their_levels(levels):
    x = torch.arange(levels)
    for floats, name in ((to_unit(x, levels), "[0, 1]"), (to_signed(x, levels), "[-1, 1]")):
        reader = FloatReader(levels)
        assert torch.equal(reader(floats), x)
        assert reader.protocol == f"floats in {name} read as {levels} levels"
    assert FloatReader(levels)(x) is x


def test_half_precision_is_read_where_it_separates_levels():
    x = torch.arange(256)
    assert torch.equal(FloatReader(256)((x / 255).half()), x)
    with pytest.raises(ShapeError, match=r"got torch\.bfloat16 values from 0 to 1"):
        FloatReader(256)((x / 255).bfloat16())


@pytest.mark.parametrize(("levels", "to"), [(256, 2), (256, 16), (17, 5), (5, 17), (65_536, 256)])
def test_requantising_is_to_the_nearest(levels, to):
    x = torch.arange(levels)
    exact = x.double() * (to - 1) / (levels - 1)
    assert torch.equal(requantise(x, levels, to=to), (exact + 0.5).floor().long())


def test_requantising_up_and_down_again_loses_nothing():
    x = torch.arange(17)
    assert torch.equal(requantise(requantise(x, 17, to=256), 256, to=17), x)


def test_bytes_of_256_levels_are_all_levels():
    check_levels(torch.arange(256).to(torch.uint8), 256)
    check_levels(torch.empty(0, dtype=torch.int64), 2)


@pytest.mark.parametrize(
    "bad",
    [torch.zeros(2), torch.zeros(2, dtype=torch.bool), torch.tensor([-1]), torch.tensor([4])],
)
def test_other_than_integer_levels_is_refused(bad):
    with pytest.raises(ShapeError, match=r"integer levels in \[0, 4\)"):
        check_levels(bad, 4)


def test_a_spec_checks_shape_and_levels():
    spec = ImageSpec(3, 4, 5, 8)
    spec.check(torch.full((2, 3, 4, 5), 7))
    assert (spec.shape, spec.num_dims) == ((3, 4, 5), 60)
    assert ImageSpec(**spec.as_dict()) == spec
    for bad in (
        torch.zeros(3, 4, 5, dtype=torch.int64),
        torch.zeros(2, 3, 5, 4, dtype=torch.int64),
    ):
        with pytest.raises(ShapeError, match=r"\(B, 3, 4, 5\)"):
            spec.check(bad)


@pytest.mark.parametrize(
    ("shape", "name"),
    [((0, 1, 1, 2), "channels"), ((1, 1.5, 1, 2), "height"), ((1, 1, 1, 1), "levels")],
)
def test_impossible_specs_are_refused_by_name(shape, name):
    with pytest.raises(ConfigError, match=name):
        ImageSpec(*shape)
