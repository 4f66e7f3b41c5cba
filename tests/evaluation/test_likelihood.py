"""Likelihood metrics count every image once, whatever the batches."""

import math

import pytest
import torch

from pixelcnn.data import TensorImageSet, load_data
from pixelcnn.errors import ConfigError, ShapeError
from pixelcnn.evaluation import evaluate, evaluated_density
from pixelcnn.inference import densities, score_unconditionally
from pixelcnn.models import PixelCNN


@pytest.fixture(scope="module")
def images() -> TensorImageSet:
    val = load_data("digits", max_samples=23).val
    assert isinstance(val, TensorImageSet)
    return val


def tiny(**options) -> PixelCNN:
    torch.manual_seed(0)
    settings = {"num_classes": 17, "hidden_channels": 8, "num_residual_blocks": 1, **options}
    return PixelCNN(**settings).double()


def test_the_nll_is_the_mean_over_images(images):
    model = tiny().eval()
    nll = -model.log_prob(images.images.long())
    metrics = evaluate(model, images)
    assert metrics["nll_nats"] == pytest.approx(nll.mean().item(), rel=1e-12)
    stderr = nll.std().item() / math.sqrt(len(images))
    assert metrics["nll_nats_stderr"] == pytest.approx(stderr, rel=1e-12)
    assert metrics["bits_per_dim"] == pytest.approx(metrics["nll_nats"] / 64 / math.log(2))
    assert metrics["perplexity"] == pytest.approx(math.exp(metrics["nll_nats"] / 64))
    assert (metrics["num_images"], metrics["num_dims"]) == (23, 64)


@pytest.mark.parametrize("batch_size", [1, 7, 22, 23, 256])
def test_metrics_do_not_depend_on_the_batch_size(images, batch_size):
    whole = evaluate(tiny(), images)["nll_nats"]
    assert evaluate(tiny(), images, batch_size=batch_size)["nll_nats"] == pytest.approx(
        whole, rel=1e-12
    )


def test_dropout_is_off_and_the_mode_comes_back(images):
    model = tiny(dropout=0.5).train()
    assert evaluate(model, images) == evaluate(model, images)
    assert model.training


def test_a_uniform_model_has_the_perplexity_of_uniform_guessing(images):
    model = tiny()
    torch.nn.init.zeros_(model.out.weight)
    torch.nn.init.zeros_(model.out.bias)
    assert evaluate(model, images)["perplexity"] == pytest.approx(17)


def test_labels_reach_a_conditional_model(images):
    model = tiny(num_labels=10).eval()
    for name, parameter in model.named_parameters():
        if "cond" in name:
            torch.nn.init.normal_(parameter)
    expected = -model.log_prob(images.images.long(), images.labels).mean().item()
    assert evaluate(model, images)["nll_nats"] == pytest.approx(expected, rel=1e-12)
    wrong = -model.log_prob(images.images.long(), (images.labels + 1) % 10).mean().item()
    assert abs(wrong - expected) > 1e-6


@pytest.mark.parametrize("kind", ["attributes", "maps"])
def test_attributes_and_maps_reach_a_conditional_model(images, kind):
    shape = (23, 2) if kind == "attributes" else (23, 2, 8, 8)
    values = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    given = TensorImageSet(images.images, images.labels, levels=17, **{kind: values})
    option = "num_attributes" if kind == "attributes" else "num_map_channels"
    model = tiny(**{option: 2}).eval()
    torch.nn.init.normal_(model.blocks[0].cond_bias.weight)
    expected = -model.log_prob(images.images.long(), values).mean().item()
    assert evaluate(model, given, batch_size=7)["nll_nats"] == pytest.approx(expected, rel=1e-12)
    with pytest.raises(ConfigError, match=rf"on 2 {kind}, but the images have none \(but labels"):
        evaluate(model, images)
    with pytest.raises(ConfigError, match=rf"on 3 {kind}, but the images have 2"):
        evaluate(tiny(**{option: 3}), given)


def test_max_samples_takes_the_first_images(images):
    model = tiny().eval()
    expected = -model.log_prob(images.images[:5].long()).mean().item()
    metrics = evaluate(model, images, max_samples=5, batch_size=2)
    assert metrics["nll_nats"] == pytest.approx(expected, rel=1e-12)
    assert metrics["num_images"] == 5


def test_one_image_has_neither_a_standard_error_nor_an_interval(images):
    found = evaluate(tiny(), images, max_samples=1)
    spreads = {name for name in found if name.endswith(("_stderr", "_ci95"))}
    assert len(spreads) == 4
    assert {name for name in found if found[name] is None} == spreads


def test_images_that_do_not_fit_the_model_are_refused(images):
    with pytest.raises(ShapeError, match=r"2 levels in 1 channel, got 17 levels in 1"):
        evaluate(tiny(num_classes=2), images)
    with pytest.raises(ShapeError, match=r"17 levels in 3 channels, got 17 levels in 1"):
        evaluate(tiny(in_channels=3, hidden_channels=6), images)


def test_a_model_that_has_diverged_is_refused(images):
    model = tiny()
    torch.nn.init.constant_(model.out.weight, math.inf)
    with pytest.raises(ConfigError, match="got NaN for 23 of 23"):
        evaluate(model, images)


def test_labels_that_do_not_fit_the_model_are_refused(images):
    for count in (3, 9):
        with pytest.raises(ConfigError, match=rf"Labels must be below the model's {count}, got 9"):
            evaluate(tiny(num_labels=count), images)
    unlabelled = TensorImageSet(images.images, levels=17)
    with pytest.raises(ConfigError, match=r"conditioned on 10 labels, but the images have none"):
        evaluate(tiny(num_labels=10), unlabelled)
    metrics = evaluate(tiny(num_labels=10, label_dropout=0.1), unlabelled)
    assert metrics["num_images"] == len(unlabelled)


def test_a_model_with_label_dropout_is_evaluated_with_and_without_labels(images):
    model = tiny(num_labels=10, label_dropout=0.1).eval()
    for name, parameter in model.named_parameters():
        if "cond" in name:
            torch.nn.init.normal_(parameter)
    x = images.images.long()
    metrics = evaluate(model, images)
    given, alone = -model.log_prob(x, images.labels).mean(), -model.log_prob(x).mean()
    assert metrics["nll_nats"] == pytest.approx(given.item(), rel=1e-12)
    assert metrics["nll_nats_without_label"] == pytest.approx(alone.item(), rel=1e-12)
    assert metrics["bits_per_dim_without_label"] == pytest.approx(alone.item() / 64 / math.log(2))
    assert metrics["nll_nats_without_label"] != metrics["nll_nats"]
    assert metrics["density_without_label"] == "no-label output"
    assert "nll_nats_without_label" not in evaluate(tiny(num_labels=10), images)


def test_p_of_x_is_the_better_of_the_sum_over_labels_and_the_no_label_output(images):
    model = tiny(num_labels=3, label_dropout=0.1).eval()
    condition = {name: p for name, p in model.named_parameters() if "cond" in name}
    labelled = images.with_labels(images.labels % 3)
    x, names = images.images.long(), set()
    for seed in range(6):
        torch.manual_seed(seed)
        for parameter in condition.values():
            torch.nn.init.normal_(parameter, std=0.3)
        nll = {way: score_unconditionally(model, x, density=way).nats for way in densities(model)}
        found = evaluate(model, labelled, batch_size=7, sum_labels=True)
        best = min(nll, key=lambda way: nll[way].sum())
        assert found["nll_nats_without_label"] == pytest.approx(nll[best].mean().item(), rel=1e-6)
        assert found["density_without_label"] == best
        names.add(best)
    assert len(names) == 2  # either is the better for some weights


def test_labels_are_summed_out_of_a_conditional_model_on_request(images):
    model, steps = tiny(num_labels=10), []
    found = evaluate(
        model, images, batch_size=20, sum_labels=True, progress=lambda *step: steps.append(step)
    )
    assert found["density_without_label"] == "labels summed out"
    assert steps == [(20, 253), (23, 253), (223, 253), (253, 253)]


def test_the_evaluated_density_is_named(images):
    unlabelled = TensorImageSet(images.images, levels=17)
    assert evaluated_density(tiny(num_labels=10), images) == "p(x | label)"
    assert evaluated_density(tiny(num_labels=10, label_dropout=0.1), unlabelled) == "p(x)"
    assert evaluated_density(tiny(), images) == "p(x)"
