import pytest
import torch

from pixelcnn.errors import ConfigError
from pixelcnn.models import PixelCNNPlusPlus
from pixelcnn.nn import WeightNormed
from pixelcnn.walk import CachedStepper, NaiveStepper
from tests.laws.test_walking import CLOSE, logits_by_site
from tests.laws.zoo import make

TINY = {"hidden_channels": 6, "num_resnets": 1}
COLOUR = {"in_channels": 3, "num_classes": 256}


def layer(reads, writes, height, width):
    """Parameters of a weight-normalised layer: directions, gains and biases."""
    return height * width * reads * writes + 2 * writes


def test_parameters_of_the_paper_are_those_of_the_authors_program_and_what_differs():
    d, reads, params = 160, 3 + 1, 10 * 10
    above = layer(2 * d, d, 2, 3) + layer(2 * d, 2 * d, 2, 3)
    past = layer(2 * d, d, 2, 2) + layer(2 * d, 2 * d, 2, 2)
    down = above + past + layer(2 * d, d, 1, 1)
    up = above + layer(2 * d, d, 1, 1) + past + layer(4 * d, d, 1, 1)
    strides = 4 * (layer(d, d, 2, 3) + layer(d, d, 2, 2))  # two to shrink, two to grow
    first = layer(reads, d, 2, 3) + layer(reads, d, 1, 3) + layer(reads, d, 2, 1)
    program = first + 15 * down + 17 * up + strides + layer(d, params, 1, 1)
    assert program == 53_659_080

    options = {"likelihood": "logistic_mixture", "hidden_channels": d, **COLOUR}
    found = PixelCNNPlusPlus(**options).num_parameters
    assert found - program == 17 * 2 * d + 2 * reads * d
    assert found == 53_665_800


def test_a_condition_biases_every_block():
    added = PixelCNNPlusPlus(num_labels=10, **TINY).num_parameters
    added -= PixelCNNPlusPlus(**TINY).num_parameters
    num_blocks = 2 * (3 * 1 + 2 + 2 + 1)  # two streams: down at each resolution, then up
    assert added == 10 * 2 * 6 * num_blocks


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 3), (5, 6)])
@pytest.mark.parametrize("head", ["categorical", "logistic_mixture"])
@torch.no_grad()
def test_three_resolutions_serve_any_size_in_pass_and_walk(head, size):
    options = {"likelihood": head, "in_channels": 3, "num_classes": 3, **TINY}
    model = make("pixelcnnpp", options)
    x = torch.randint(3, (2, 3, *size))
    naive = logits_by_site(NaiveStepper(model), x, None)
    torch.testing.assert_close(logits_by_site(CachedStepper(model), x, None), naive, **CLOSE)


def test_the_field_of_three_resolutions_is_exactly_what_outputs_depend_on():
    model = make("pixelcnnpp", {"num_classes": 2, **TINY})
    size, field = (12, 40), model.receptive_field()
    for row, column in [(8, 16), (9, 17), (10, 19), (11, 30), (11, 39), (11, 0)]:
        features = torch.randn(1, *size, 1, dtype=torch.float64, requires_grad=True)
        hook = model.embed.register_forward_hook(lambda *_, features=features: features)
        params = model(torch.zeros(1, 1, *size, dtype=torch.int64))
        hook.remove()
        (gradient,) = torch.autograd.grad(params[0, 0, row, column], features)
        seen = {(r - row, c - column) for r, c in gradient[0, :, :, 0].nonzero().tolist()}
        inside = {
            (r, c)
            for r, c in field.at(row, column)
            if 0 <= row + r < size[0] and 0 <= column + c < size[1]
        }
        assert seen == inside


def test_the_field_has_no_blind_spot():
    field = PixelCNNPlusPlus(**TINY).receptive_field()
    for row in range(4):
        for column in range(4):
            offsets = field.at(row, column)
            assert offsets >= {(0, -1), *((r, c) for r in (-1, -2) for c in range(-2, 3))}
            assert offsets <= field.offsets


@pytest.mark.parametrize("head", ["categorical", "logistic_mixture"])
@torch.no_grad()
def test_a_first_batch_gives_every_layer_mean_0_and_variance_1(head):
    model = PixelCNNPlusPlus(
        in_channels=3, num_classes=8, likelihood=head, num_labels=2, dropout=0.5, **TINY
    )
    x, labels = torch.randint(8, (8, 3, 9, 10)), torch.arange(8) % 2
    model.initialise(x, labels)
    assert model.training

    def check(module, _arguments, output):
        flat = output.double().flatten(0, -2)
        torch.testing.assert_close(flat.mean(0), torch.zeros_like(flat[0]), atol=1e-4, rtol=0)
        scale = torch.full_like(flat[0], module.init_scale)
        torch.testing.assert_close(flat.std(0, correction=0), scale, atol=0, rtol=1e-3)

    layers = [module for module in model.modules() if isinstance(module, WeightNormed)]
    for module in layers:
        module.register_forward_hook(check)
    model.eval()(x, labels)
    assert not any(module.is_new for module in layers)


def test_ones_tell_the_middle_level_from_what_lies_outside():
    # Three levels: the middle one is 0.0 for the network, and so is what pads the image.
    model = PixelCNNPlusPlus(num_classes=3, **TINY)
    middle = torch.ones(1, 1, 4, 4, dtype=torch.int64)
    large, small = model(middle), model(middle[:, :, :, 1:])
    assert not torch.allclose(large[..., 1:], small)


def test_hidden_directions_get_no_gradient_and_all_others_do():
    model = PixelCNNPlusPlus(in_channels=3, num_classes=4, num_labels=2, **TINY)
    model.log_prob(torch.randint(4, (4, 3, 8, 8)), [0, 1, 0, 1]).sum().backward()
    for module in model.modules():
        if isinstance(module, WeightNormed) and module.mask is not None:
            assert (module.direction.grad[module.mask == 0] == 0).all()
    assert all(p.grad is not None and p.grad.any() for p in model.parameters())


def test_a_walk_runs_the_stream_above_once_per_row_and_coarse_levels_where_they_have_work():
    model = PixelCNNPlusPlus(num_resolutions=2, **TINY).eval()
    calls = {"fine rows": 0, "fine sites": 0, "coarse rows": 0, "coarse sites": 0}

    def count(name):
        return lambda *_: calls.update({name: calls[name] + 1})

    fine, coarse = model.streams.down[0], model.streams.lower.down[0]
    for name, block in (("fine", fine), ("coarse", coarse)):
        block.above.register_forward_hook(count(f"{name} rows"))
        block.past.register_forward_hook(count(f"{name} sites"))
    model.generate((1, 5, 7), num_samples=2)
    assert list(calls.values()) == [5, 5 * 7, 3, 3 * 4]


def test_dropout_acts_in_training_only():
    model = PixelCNNPlusPlus(dropout=0.5, **TINY)
    x = torch.randint(2, (2, 1, 8, 8))
    assert not torch.equal(model(x), model(x))
    model.eval()
    assert torch.equal(model(x), model(x))


def test_width_is_rounded_up_for_the_colours():
    model = PixelCNNPlusPlus(hidden_channels=16, num_resnets=1, num_resolutions=1, **COLOUR)
    assert model.hidden == 18
    assert model.config["hidden_channels"] == 16
    assert model(torch.zeros(1, 3, 4, 4, dtype=torch.int64)).shape == (1, 768, 4, 4)


@pytest.mark.slow
def test_the_loss_compiles_into_one_graph():
    model = PixelCNNPlusPlus(dropout=0.5, num_labels=2, likelihood="logistic_mixture", **TINY)
    compiled = torch.compile(
        lambda x, cond: model.log_prob(x, cond, check=False), backend="eager", fullgraph=True
    )
    x, labels = torch.randint(2, (2, 1, 5, 6)), torch.tensor([0, 1])
    model.eval()
    torch.testing.assert_close(compiled(x, labels), model.log_prob(x, labels))


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"hidden_channels": 0}, "hidden_channels"),
        ({"num_resnets": 0}, "num_resnets"),
        ({"num_resolutions": 0}, "num_resolutions"),
        ({"dropout": 1.0}, "dropout"),
        ({"likelihood": "bernoulli", "num_classes": 3}, "bernoulli"),
        ({"num_labels": 2, "num_attributes": 2}, "num_labels"),
    ],
)
def test_arguments_out_of_range_are_refused_by_name(options, name):
    with pytest.raises(ConfigError, match=name):
        PixelCNNPlusPlus(**options)


def test_images_smaller_than_the_strides_are_refused_before_training():
    PixelCNNPlusPlus(num_resolutions=3, image_size=4)
    with pytest.raises(ConfigError, match=r"at least 4×4 .* got 3×9.*num_resolutions"):
        PixelCNNPlusPlus(num_resolutions=3, image_size=(3, 9))
    model = PixelCNNPlusPlus(num_resolutions=4, **TINY)
    with pytest.raises(ConfigError, match="at least 8×8"):
        model.image_size = (28, 7)
