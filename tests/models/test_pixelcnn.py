import pytest
import torch

from pixelcnn.errors import ConfigError
from pixelcnn.models import PixelCNN


def test_parameters_are_those_of_the_layers_in_the_paper():
    # 7×7 A; four blocks of 64 → 32, 3×3 on 32, 32 → 64; 1×1 B; 1×1 to one logit.
    block = (64 * 32 + 32) + (9 * 32 * 32 + 32) + (32 * 64 + 64)
    expected = (49 * 64 + 64) + 4 * block + (64 * 64 + 64) + (64 + 1)
    assert PixelCNN(num_classes=2).num_parameters == expected


def test_plain_layers_are_masked_three_by_threes():
    added = PixelCNN(num_layers=2).num_parameters - PixelCNN().num_parameters
    assert added == 2 * (9 * 64 * 64 + 64)


def test_receptive_field_grows_with_blocks_layers_and_dilations():
    assert PixelCNN(num_residual_blocks=4).receptive_field()[:3] == (7, 7, 7)
    assert PixelCNN(num_residual_blocks=2, num_layers=3).receptive_field()[:3] == (8, 8, 8)
    dilated = PixelCNN(num_residual_blocks=3, dilations=[1, 2])
    assert dilated.dilations == [1, 2, 1]
    assert dilated.receptive_field()[:3] == (7, 7, 7)


def test_attention_follows_every_nth_block_and_sees_all_the_past():
    model = PixelCNN(num_residual_blocks=5, attention_every=2, num_heads=8)
    assert list(model.attentions) == ["2", "4"]
    assert model.attentions["2"].head_width == 8
    assert model.receptive_field().sees_all_past
    assert not PixelCNN().receptive_field().sees_all_past
    # Rows are walked together only where no window reaches to the end of the row above.
    assert (model.lag, PixelCNN().lag) == (None, 4)


def test_width_is_rounded_up_for_the_colours():
    model = PixelCNN(in_channels=3, hidden_channels=64, num_classes=256)
    assert model.first.out_channels == 66
    assert model.config["hidden_channels"] == 64
    assert model(torch.zeros(1, 3, 8, 8, dtype=torch.int64)).shape == (1, 768, 8, 8)


def test_a_mixture_predicts_whole_pixels_with_as_many_parts_as_asked():
    model = PixelCNN(in_channels=3, num_classes=256, likelihood="logistic_mixture", num_mixtures=5)
    assert (model.groups, model.first.out_channels) == (1, 64)
    assert model(torch.zeros(1, 3, 8, 8, dtype=torch.int64)).shape == (1, 50, 8, 8)
    assert model.config["num_mixtures"] == 5


def test_dropout_acts_in_training_only():
    model = PixelCNN(dropout=0.5)
    x = torch.randint(2, (2, 1, 8, 8))
    assert not torch.equal(model(x), model(x))
    model.eval()
    assert torch.equal(model(x), model(x))


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"hidden_channels": 7}, "hidden_channels"),
        ({"hidden_channels": 0}, "hidden_channels"),
        ({"num_layers": -1}, "num_layers"),
        ({"num_residual_blocks": -1}, "num_residual_blocks"),
        ({"dropout": 1.0}, "dropout"),
        ({"dilations": []}, "dilations"),
        ({"dilations": [1, 0]}, "dilations"),
        ({"norm": "layer"}, "norm"),
        ({"attention_every": 0}, "attention_every"),
        ({"attention_every": 5}, "attention_every"),
        ({"attention_every": 1, "num_heads": 0}, "num_heads"),
        ({"num_classes": 1}, "`num_classes`"),
        ({"in_channels": 0}, "channels"),
        ({"likelihood": "bernoulli", "num_classes": 3}, "bernoulli"),
        ({"likelihood": "logistic_mixture", "num_mixtures": 0}, "num_mixtures"),
        ({"num_mixtures": 5}, "num_mixtures"),
        ({"num_labels": 2, "num_attributes": 2}, "num_labels"),
        ({"image_size": 0}, "`image_size`"),
    ],
)
def test_arguments_out_of_range_are_refused_by_name(options, name):
    with pytest.raises(ConfigError, match=name):
        PixelCNN(**options)
