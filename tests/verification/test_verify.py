"""A correct model passes every check; a deliberately broken one fails the right ones."""

from functools import partial

import pytest
import torch
from torch import nn

import pixelcnn.verification.consistency
import pixelcnn.verification.mass
import pixelcnn.verification.samples
from pixelcnn.errors import ConfigError
from pixelcnn.likelihoods import Categorical
from pixelcnn.models import GatedPixelCNN, PixelCNN
from pixelcnn.nn import MaskedConv2d, Norm, raster_mask
from pixelcnn.verification import verify
from pixelcnn.walk import Filter, sampling_chooser
from tests.laws.zoo import cases, make, slow_but

SIZE = (4, 5)
FEW = [  # of each architecture one, of all heads, colours and conditions
    "pixelcnn0-bernoulli-grey",
    "pixelcnn2-categorical-rgb",
    "gated5-logistic_mixture-grey",
    "pixelcnnpp0-logistic_mixture-rgb",
    "pixelsnail1-categorical-grey",
]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Small numbers suffice for models that are badly broken, or not at all."""
    monkeypatch.setattr(pixelcnn.verification.mass, "MOST_IMAGES", 1_000)
    monkeypatch.setattr(pixelcnn.verification.samples, "NUM_SAMPLES", 3_000)
    monkeypatch.setattr(pixelcnn.verification.samples, "NUM_CROPS", 2)


@pytest.mark.parametrize("case", slow_but(lambda case: case.id in FEW, cases()))
def test_a_correct_model_passes_every_check(case):
    name, options = case
    model = make(name, options).float()
    report = verify(model, size=SIZE, sites=20)
    assert report.failed == []
    assert report.is_of(model)
    named = [check.name for check in report.checks]
    assert ("colour_order" in named) == (model.groups > 1)


@pytest.fixture
def model():
    """A PixelCNN for colours, whose network predicts them one by one."""
    torch.manual_seed(1)
    return PixelCNN(
        in_channels=3, hidden_channels=12, num_residual_blocks=2, num_classes=3, image_size=SIZE
    )


@pytest.fixture
def gated():
    torch.manual_seed(1)
    return GatedPixelCNN(hidden_channels=8, num_layers=2, num_classes=3, image_size=SIZE)


def failed(model):
    """Names of the checks that fail."""
    return set(verify(model, sites=30).failed)


def remask(conv, kind, *, groups):
    """Gives a masked convolution another mask, and weights wherever that lets them through."""
    mask = raster_mask(kind, *conv.weight.shape[:2], conv.kernel_size, groups=groups)
    conv.mask.copy_(mask)
    nn.init.normal_(conv.weight, std=0.2)


def test_a_first_layer_that_sees_its_own_sub_pixel_is_caught(model):
    remask(model.first, "B", groups=3)
    found = failed(model)
    assert found >= {
        "causality_gradients",
        "causality_inputs",
        "cached_equals_full",
        "walk_equals_loss",
        "mass",
    }
    assert not found & {
        "receptive_field",
        "colour_order",
        "unknown_pixels",
        "batch_independence",
        "level_round_trip",
    }


def test_layers_that_drop_colour_groups_are_caught(model):
    for conv in model.modules():
        if isinstance(conv, MaskedConv2d) and conv.kind == "B":
            remask(conv, "B", groups=1)
    assert failed(model) >= {"causality_gradients", "causality_inputs", "walk_equals_loss", "mass"}


def test_colours_that_do_not_see_each_other_are_caught(model):
    remask(model.first, "A", groups=1)
    assert failed(model) == {"colour_order"}


class Shifted(nn.Module):
    """A layer whose whole pass is so many rows off; its walk is as it was."""

    def __init__(self, layer, rows):
        super().__init__()
        self.layer, self.rows = layer, rows

    def forward(self, h, cursor=None):
        out = self.layer(h, cursor)
        return out.roll(self.rows, 1) if cursor is None else out


def test_a_crop_that_is_shifted_down_is_caught(gated):
    gated.above = Shifted(gated.above, -1)
    found = failed(gated)
    assert found >= {
        "causality_gradients",
        "causality_inputs",
        "cached_equals_full",
        "walk_equals_loss",
    }
    assert not found & {"unknown_pixels", "batch_independence", "level_round_trip"}


def test_a_crop_that_is_shifted_up_sees_more_than_is_stated():
    torch.manual_seed(1)
    model = GatedPixelCNN(hidden_channels=8, num_layers=1, image_size=(6, 3), num_classes=2)
    above = model.above
    # One row up, and nothing comes round: what stood at the end is cut off.
    model.above = Shifted(above, 0)
    model.above.forward = lambda h, cursor=None: (
        above(nn.functional.pad(h, (0, 0, 0, 0, 1, 0))[:, :-1])
        if cursor is None
        else above(h, cursor)
    )
    found = failed(model)
    assert found >= {"receptive_field", "cached_equals_full", "walk_equals_loss"}
    assert not found & {"causality_gradients", "causality_inputs", "mass"}


def test_batch_norm_in_training_mode_is_caught():
    torch.manual_seed(1)
    model = PixelCNN(
        hidden_channels=8, num_residual_blocks=2, norm="batch", num_classes=3, image_size=SIZE
    )
    assert failed(model) == set()
    for norm in model.modules():
        if isinstance(norm, Norm):
            norm.train()
            norm.train = lambda mode=True, norm=norm: norm
    assert failed(model) >= {
        "causality_gradients",
        "causality_inputs",
        "cached_equals_full",
        "walk_equals_loss",
        "batch_independence",
    }


class Stale(nn.Module):
    """A layer that forgets to keep what it is fed at odd columns of a walk."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, h, cursor=None):
        is_kept = cursor is None or cursor.front.column % 2 == 0
        return self.layer(h if is_kept else 0 * h, cursor)


def test_a_stale_cache_is_caught(model):
    model.blocks[0].conv = Stale(model.blocks[0].conv)
    found = failed(model)
    assert found >= {"cached_equals_full", "walk_equals_loss"}
    assert not found & {
        "causality_gradients",
        "receptive_field",
        "causality_inputs",
        "mass",
        "batch_independence",
    }


class Peeking(PixelCNN):
    """Its walk reads the whole image, though it makes nothing of it."""

    def forward(self, x, cond=None, cursor=None):
        params = super().forward(x, cond, cursor)
        return params if cursor is None else params + 0 * self.embed(x).sum()


def test_a_walk_that_touches_what_is_unknown_is_caught():
    assert failed(
        Peeking(num_classes=2, hidden_channels=4, num_residual_blocks=1, image_size=SIZE)
    ) == {"unknown_pixels"}


class Blind(PixelCNN):
    """Reads levels past its own input, a pixel too late."""

    def forward(self, x, cond=None, cursor=None):
        params = super().forward(x, cond, cursor)
        return params + x if cursor is None else params


def test_a_network_that_reads_past_its_input_is_caught():
    found = failed(Blind(num_classes=2, hidden_channels=4, num_residual_blocks=1, image_size=SIZE))
    assert found >= {"causality_inputs", "cached_equals_full", "walk_equals_loss", "mass"}


class Heavy(Categorical):
    """A head whose probabilities sum to more than 1."""

    def log_prob(self, params, x):
        return super().log_prob(params, x) + 0.01


def test_a_head_whose_mass_is_not_one_is_caught(model):
    model.likelihood = Heavy(3, 3)
    assert failed(model) == {"walk_equals_loss", "mass"}


def test_weights_that_are_no_numbers_fail_what_they_touch(model):
    with torch.no_grad():
        model.out.bias[0] = float("nan")
    assert failed(model) >= {
        "causality_inputs",
        "unknown_pixels",
        "cached_equals_full",
        "walk_equals_loss",
        "batch_independence",
        "mass",
    }


def test_a_sampler_that_sharpens_is_caught(model, monkeypatch):
    with torch.no_grad():
        model.out.weight.mul_(10)  # a model that is sure of something
    assert failed(model) == set()
    sharp = partial(sampling_chooser, filters=Filter(temperature=0.5))
    monkeypatch.setattr(pixelcnn.verification.samples, "sampling_chooser", sharp)
    assert failed(model) == {"samples_follow_likelihood"}


def test_levels_that_are_cut_instead_of_rounded_are_caught(model, monkeypatch):
    def cut(unit, levels):
        return (unit * (levels - 1) * 0.999).long()

    monkeypatch.setattr(pixelcnn.verification.consistency, "quantise", cut)
    assert failed(model) == {"level_round_trip"}


def test_a_sample_of_sites_is_reported_as_such(gated):
    checks = {check.name: check for check in verify(gated, sites=7).checks}
    assert (
        checks["causality_gradients"].is_sample
        and "a sample of 7 of 20" in checks["causality_gradients"].scope
    )
    checks = {check.name: check for check in verify(gated).checks}
    assert (
        not checks["causality_gradients"].is_sample
        and "all 20" in checks["causality_gradients"].scope
    )


def test_a_model_is_left_as_it_was(gated):
    gated.train()
    embed, before = gated.embed, {k: v.clone() for k, v in gated.state_dict().items()}
    verify(gated, sites=3)
    assert gated.training and gated.embed is embed
    assert all(torch.equal(before[name], now) for name, now in gated.state_dict().items())


def test_progress_gets_every_check(gated):
    seen = []
    report = verify(gated, sites=3, progress=seen.append)
    assert tuple(seen) == report.checks
    assert all(check.seconds >= 0 and check.scope and check.metric for check in seen)


def test_the_seed_chooses_the_images(gated):
    values = [
        [check.value for check in verify(gated, sites=3, seed=seed).checks] for seed in (0, 0, 1)
    ]
    assert values[0] == values[1] != values[2]


def test_a_model_that_cannot_be_verified_is_refused(gated):
    with pytest.raises(ConfigError, match="`sites` must be at least 1, got 0"):
        verify(gated, sites=0)
    with pytest.raises(ConfigError, match="no image size"):
        verify(GatedPixelCNN(hidden_channels=4, num_layers=1, num_classes=2))


def test_one_sub_pixel_can_be_verified():
    assert verify(PixelCNN(hidden_channels=4, num_classes=5, image_size=1)).passed
