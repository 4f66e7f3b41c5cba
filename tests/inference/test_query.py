"""An argument of the wrong kind is named before anything is computed."""

import re

import numpy as np
import pytest
import torch

from pixelcnn.errors import ConfigError, PixelCNNError, ShapeError
from pixelcnn.inference import (
    GibbsChains,
    PixelCNNSampler,
    classify,
    complete,
    conditional,
    expectation,
    full_conditional,
    known_mask,
    known_masks,
    marginal,
    score,
)
from pixelcnn.models import PixelCNN
from pixelcnn.order import Site
from pixelcnn.verification import verify

MODEL = PixelCNN(hidden_channels=2, num_residual_blocks=1, image_size=3, num_classes=2).eval()
LABELS = PixelCNN(hidden_channels=2, num_residual_blocks=1, num_labels=3, num_classes=2).eval()
X = torch.ones(1, 1, 3, 3, dtype=torch.int64)
LAST = torch.arange(9).view(3, 3) > 4


def asked(model=MODEL, images=X, known=LAST, **options):
    """`conditional` with all that it needs."""
    return conditional(model, (1, 1), given=images, known=known, **options)


QUESTIONS = {
    "score": lambda model=MODEL, images=X, **options: score(model, images, **options),
    "classify": lambda model=LABELS, images=X, **options: classify(model, images, **options),
    "expectation": lambda model=MODEL, images=X, **options: expectation(model, images, **options),
    "complete": lambda model=MODEL, images=X, **options: complete(model, images, LAST, **options),
    "conditional": asked,
}


@pytest.mark.parametrize("ask", QUESTIONS.values(), ids=QUESTIONS)
def test_images_must_be_tensors_of_levels(ask):
    name = "given" if ask is asked else "images"
    for images in (X.numpy(), X.tolist(), None, "digits"):
        with pytest.raises(ShapeError, match=f"`{name}` must be a torch tensor of integer levels"):
            ask(images=images)
    with pytest.raises(ShapeError, match=rf"`{name}` must hold .* `{name}\.long\(\)`"):
        ask(images=X.bool())
    with pytest.raises(
        ShapeError, match=rf"`{name}` must hold .* `pixelcnn.quantise\({name}, 2\)` on"
    ):
        ask(images=X.float())
    with pytest.raises(ShapeError, match=f"`{name}` must hold "):
        ask(images=X + 5)
    for size in ((1, 1, 0, 3), (1, 2, 3, 3)):
        with pytest.raises(ShapeError, match=f"`{name}` must "):
            ask(images=torch.zeros(size, dtype=torch.int64))


@pytest.mark.parametrize(
    "ask",
    [
        *QUESTIONS.values(),
        lambda model: marginal(model, (0, 0)),
        lambda model: verify(model),
        lambda model: PixelCNNSampler(model),
        lambda model: GibbsChains(model, X, LAST),
        lambda model: full_conditional(model, X, Site(0, 0, 0)),
    ],
)
def test_a_name_is_no_model(ask):
    with pytest.raises(ConfigError, match=re.escape('Use `pixelcnn.load("digits")`.')):
        ask(model="digits")
    with pytest.raises(ConfigError, match="`model` must be a model, got None"):
        ask(model=None)


def test_chains_begin_at_tensors_of_levels():
    for ask in (
        lambda x: GibbsChains(MODEL, x, LAST),
        lambda x: full_conditional(MODEL, x, Site(0, 0, 0)),
    ):
        with pytest.raises(ShapeError, match=r"`x` must be .* Use `torch\.as_tensor"):
            ask(X.numpy())


def test_a_mask_must_be_a_tensor_of_booleans():
    for ask in (asked, lambda known: complete(MODEL, X, known)):
        with pytest.raises(ShapeError, match=r"got 'bottom'\. `pixelcnn\.known_mask\(\"bottom\","):
            ask(known="bottom")
        with pytest.raises(ShapeError, match=r"Use `torch\.as_tensor\(known\)`"):
            ask(known=LAST.numpy())
        with pytest.raises(ShapeError, match=r"`known` must be a torch tensor .* got None"):
            ask(known=None)


@pytest.mark.parametrize("cond", ["a", ["a"], True, 0.5, [0, 1, 2], 3])
def test_conditions_of_another_kind_are_named(cond):
    with pytest.raises(ShapeError, match="`cond` must be one label per image"):
        score(LABELS, X, cond)
    with pytest.raises(ShapeError, match="`cond` must be None"):
        score(MODEL, X, cond)


@pytest.mark.parametrize("prior", ["uniform", ["a", "b", "c"], [1.0]])
def test_a_prior_must_hold_a_number_for_each_label(prior):
    with pytest.raises(ShapeError, match="`prior` must"):
        classify(LABELS, X, prior=prior)


COUNTS = {
    "batch_size": [*QUESTIONS.values(), lambda **n: marginal(MODEL, (0, 0), **n)],
    "num_draws": [
        QUESTIONS["expectation"],
        lambda **n: marginal(MODEL, (0, 0), **n),
        lambda **n: asked(method="importance", **n),
    ],
    "num_times": [QUESTIONS["expectation"]],
    "num_completions": [QUESTIONS["complete"]],
    "max_states": [lambda **n: asked(method="exact", **n)],
    "num_particles": [
        lambda **n: asked(method="smc", **n),
        lambda **n: complete(MODEL, X, LAST, method="smc", **n),
        lambda **n: complete(MODEL, X, LAST, method="gibbs", **n),
    ],
    "num_populations": [
        lambda **n: asked(method="smc", **n),
        lambda **n: complete(MODEL, X, LAST, method="smc", **n),
    ],
    "num_chains": [lambda **n: asked(method="gibbs", **n)],
    "num_sweeps": [
        lambda **n: asked(method="gibbs", **n),
        lambda **n: complete(MODEL, X, LAST, method="gibbs", **n),
    ],
    "num_burn_in": [lambda **n: asked(method="gibbs", **n)],
    "num_samples": [PixelCNNSampler(MODEL).generate_samples, MODEL.generate],
    "sites": [lambda **n: verify(MODEL, **n)],
}


@pytest.mark.parametrize("name", COUNTS)
def test_counts_must_be_whole_numbers(name):
    for ask in COUNTS[name]:
        for value in (1e3, 2.5, "5", True):
            with pytest.raises(ConfigError, match=f"`{name}` must be a whole number, got "):
                ask(**{name: value})


def test_whole_numbers_of_numpy_are_counts():
    assert complete(MODEL, X, LAST, num_completions=np.int64(2)).images.shape[1] == 2
    found = asked(method="smc", num_populations=np.int64(10), num_particles=np.uint8(2))
    assert found.num_draws == 20
    assert len(MODEL.generate(num_samples=np.int32(2))) == 2


@pytest.mark.parametrize(
    "ask",
    [
        asked,
        lambda seed: complete(MODEL, X, LAST, seed=seed),
        lambda seed: expectation(MODEL, X, seed=seed),
        lambda seed: marginal(MODEL, (0, 0), seed=seed),
        lambda seed: verify(MODEL, seed=seed),
        lambda seed: known_mask("random", (1, 3, 3), seed=seed),
        lambda seed: PixelCNNSampler(MODEL).generate_samples(1, seed=seed),
        lambda seed: GibbsChains(MODEL, X, LAST, seed=seed),
    ],
)
def test_seeds_must_be_whole_numbers_of_64_bits(ask):
    for seed in (1.5, "a", None, -1, 2**64):
        with pytest.raises(ConfigError, match="`seed` must be a whole number from 0 to"):
            ask(seed=seed)


def test_the_largest_seed_serves():
    seed = 2**64 - 1
    assert verify(MODEL, seed=seed, sites=1).seed == seed
    assert known_mask("random", (1, 3, 3), seed=seed, number=seed).shape == (1, 3, 3)
    with pytest.raises(ConfigError, match="`number` must be a whole number from 0"):
        known_mask("random", (1, 3, 3), number=-1)


@pytest.mark.parametrize("site", [(0.5, 0), (True, 0), "00", 5, None, (3, 0), (-1, 0)])
def test_a_site_must_be_inside_the_image(site):
    with pytest.raises(ShapeError, match=r"`site` must be .* got "):
        marginal(MODEL, site)
    with pytest.raises(ShapeError, match=r"`site` must be .* got "):
        conditional(MODEL, site, given=X, known=LAST)
    with pytest.raises(ShapeError, match=r"`site` must be .* got "):
        full_conditional(MODEL, X, site)


@pytest.mark.parametrize("shape", [(3, 3), 3, (1, -3, 3), (1, 3.0, 3), (1, 0, 3)])
def test_a_shape_must_hold_whole_numbers(shape):
    for ask in (
        lambda: marginal(MODEL, (0, 1), shape=shape),
        lambda: known_mask("bottom", shape),
        lambda: known_masks("bottom", shape),
        lambda: MODEL.generate(shape),
    ):
        with pytest.raises(ShapeError, match="`shape` must be "):
            ask()
    with pytest.raises(ShapeError, match=r"`shape` must be \(B, C, H, W\)"):
        known_masks("top", (0, 1, 3, 3))
    with pytest.raises(ShapeError, match=r"`size` must be \(H, W\)"):
        verify(MODEL, size=(*shape, 1) if shape == (3, 3) else shape)


@pytest.mark.parametrize(
    "options",
    [
        {"method": "exact", "max_states": 0},
        {"method": "importance", "num_draws": 1},
        {"method": "smc", "num_particles": -1},
        {"method": "smc", "resample_below": "half"},
        {"method": "gibbs", "num_chains": 1},
        {"method": "gibbs", "scan": "zigzag"},
        {"method": "sideways"},
        {"method": ["smc"]},
        {"seed": -1},
    ],
)
def test_options_are_checked_also_where_the_site_is_known(options):
    known = torch.ones(3, 3, dtype=torch.bool)
    with pytest.raises(ConfigError, match=f"`{list(options)[-1]}` must be "):
        asked(known=known, **options)


def test_a_model_that_gives_no_numbers_is_refused():
    model = PixelCNN(
        hidden_channels=4, num_residual_blocks=1, num_labels=2, image_size=3, num_classes=2
    )
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(0, 1e30, generator=generator)
    for ask in (
        lambda: score(model, X, 0),
        lambda: classify(model, X),
        lambda: marginal(model, (2, 2), num_draws=3, cond=0),
        lambda: complete(model, X, LAST, cond=0),
        *(
            lambda method=method: asked(model, method=method, cond=0)
            for method in ("exact", "importance", "smc", "gibbs")
        ),
    ):
        with pytest.raises(PixelCNNError, match="must give log-probabilities that are numbers"):
            ask()
