import pytest
import torch

from pixelcnn.errors import ConfigError
from pixelcnn.models import GatedPixelCNN
from pixelcnn.nn import HorizontalConv, VerticalConv


def test_parameters_are_those_of_the_layers_in_the_paper():
    p, first, later = 64, 3 * 7, 2 * 3  # taps of the vertical windows, whose lower half is cut off
    vertical = (first * 2 * p + 2 * p) + 9 * (later * p * 2 * p + 2 * p)
    horizontal = (7 * 2 * p + 2 * p) + 9 * (3 * p * 2 * p + 2 * p)
    links = 10 * (2 * p * 2 * p + 2 * p)
    mixes = 9 * (p * 2 * p + 2 * p) + (p * p + p)  # the last layer writes skips alone
    head = (p * p + p) + (p + 1)
    expected = vertical + horizontal + links + mixes + head
    assert GatedPixelCNN(num_classes=2).num_parameters == expected


def test_a_condition_biases_every_gate():
    added = GatedPixelCNN(num_labels=10).num_parameters - GatedPixelCNN().num_parameters
    # The last layer's vertical features pass no gate.
    assert added == 10 * 2 * 64 * (10 + 9)


def test_the_field_is_a_full_rectangle_above_and_the_row_so_far():
    reach = 2 + 2 * 2
    above = {(r, c) for r in range(-reach, 0) for c in range(-reach, reach + 1)}
    left = {(0, c) for c in range(-reach, 0)}
    field = GatedPixelCNN(num_layers=3, kernel_size=5, first_kernel_size=5).receptive_field()
    assert field[:4] == (reach, reach, reach, above | left)
    assert field.is_bounded


def test_dilations_are_cycled_over_the_layers_after_the_first():
    model = GatedPixelCNN(num_layers=5, hidden_channels=4, dilations=[1, 2, 4])
    assert model.dilations == [1, 2, 4, 1]
    assert model.receptive_field()[:3] == (11, 11, 11)


def test_attention_follows_every_nth_layer_but_the_last():
    model = GatedPixelCNN(num_layers=5, attention_every=2, hidden_channels=8)
    assert list(model.attentions) == ["2", "4"]
    assert list(GatedPixelCNN(num_layers=4, attention_every=2).attentions) == ["2"]
    assert model.receptive_field().sees_all_past
    assert not GatedPixelCNN().receptive_field().sees_all_past


def test_width_is_rounded_up_for_the_colours():
    model = GatedPixelCNN(in_channels=3, hidden_channels=16, num_layers=2, num_classes=256)
    assert model.mix.in_channels == 18
    assert model.config["hidden_channels"] == 16
    assert model(torch.zeros(1, 3, 8, 8, dtype=torch.int64)).shape == (1, 768, 8, 8)


def test_a_mixture_predicts_whole_pixels():
    options = {"num_classes": 256, "likelihood": "logistic_mixture", "num_mixtures": 5}
    model = GatedPixelCNN(in_channels=3, hidden_channels=16, num_layers=2, **options)
    assert (model.groups, model.mix.in_channels) == (1, 16)
    assert model(torch.zeros(1, 3, 8, 8, dtype=torch.int64)).shape == (1, 50, 8, 8)


def test_dropout_acts_in_training_only():
    model = GatedPixelCNN(dropout=0.5, hidden_channels=8, num_layers=2)
    x = torch.randint(2, (2, 1, 8, 8))
    assert not torch.equal(model(x), model(x))
    model.eval()
    assert torch.equal(model(x), model(x))


def test_every_weight_is_read():
    model = GatedPixelCNN(
        in_channels=3, hidden_channels=6, num_layers=3, num_labels=2, attention_every=1
    )
    model.log_prob(torch.randint(2, (2, 3, 6, 6)), [0, 1]).sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in model.parameters())


def test_a_walk_runs_the_vertical_stack_once_per_row():
    model = GatedPixelCNN(hidden_channels=4, num_layers=3).eval()
    calls = {VerticalConv: 0, HorizontalConv: 0}

    def count(module, *_):
        calls[type(module)] += 1

    for module in model.modules():
        if type(module) in calls:
            module.register_forward_hook(count)
    model.generate((1, 4, 5), num_samples=2)
    assert calls == {VerticalConv: 3 * 4, HorizontalConv: 3 * 4 * 5}


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"hidden_channels": 0}, "hidden_channels"),
        ({"num_layers": 0}, "num_layers"),
        ({"kernel_size": 4}, "kernel_size"),
        ({"first_kernel_size": 6}, "first_kernel_size"),
        ({"kernel_size": 1, "num_layers": 1}, "kernel_size"),
        ({"dropout": 1.0}, "dropout"),
        ({"dilations": []}, "dilations"),
        ({"norm": "layer"}, "norm"),
        ({"num_layers": 2, "attention_every": 2}, "attention_every"),
        ({"attention_every": 1, "num_heads": 0}, "num_heads"),
        ({"likelihood": "bernoulli", "num_classes": 3}, "bernoulli"),
        ({"num_labels": 2, "num_attributes": 2}, "num_labels"),
    ],
)
def test_arguments_out_of_range_are_refused_by_name(options, name):
    with pytest.raises(ConfigError, match=name):
        GatedPixelCNN(**options)
