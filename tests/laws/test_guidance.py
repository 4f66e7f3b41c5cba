"""Guidance goes from the model without labels to the one with them and past it, exactly."""

from functools import partial

import pytest
import torch

from pixelcnn.walk import (
    CachedStepper,
    GuidedStepper,
    NaiveStepper,
    sampling_chooser,
    scoring_chooser,
    walk,
)
from tests.laws.test_mass import every_image, fit, tiny_size
from tests.laws.test_walking import CLOSE, logits_by_site
from tests.laws.zoo import cases, condition_for, images_for, make, slow_but

SIZE = (4, 9)
ONE = "categorical-grey"
BY_ROW = partial(CachedStepper, wavefront=False)


def optional_cases():
    """Every model of the zoo that takes labels, made to serve without them too.

    Of those that take attributes or maps, each with one head.
    """
    found = []
    for case in cases():
        name, options = case.values[0]
        values = name, {**options, "label_dropout": 0.25}
        if "num_labels" in options:
            found.append(pytest.param(values, id=case.id, marks=case.marks))
        elif {"num_attributes", "num_map_channels"} & set(options) and str(case.id).endswith(ONE):
            found.append(pytest.param(values, id=case.id))
    return found


@pytest.fixture(params=optional_cases())
def model(request):
    return make(*request.param)


def combined(model, x, cond, guidance):
    """Log-probabilities of the levels by site, from two plain walks. (B, C, H, W, K)."""
    given = logits_by_site(CachedStepper(model), x, cond).log_softmax(-1)
    without = logits_by_site(CachedStepper(model), x, None).log_softmax(-1)
    return (without + guidance * (given - without)).log_softmax(-1)


def test_cached_guidance_equals_naive_guidance_at_every_site(model):
    x, cond = images_for(model, 3, SIZE), condition_for(model, 3, SIZE)
    naive = logits_by_site(GuidedStepper(model, 2.5, kind=NaiveStepper), x, cond)
    torch.testing.assert_close(naive, combined(model, x, cond, 2.5), **CLOSE)
    for kind in (CachedStepper, BY_ROW):
        found = logits_by_site(GuidedStepper(model, 2.5, kind=kind), x, cond)
        torch.testing.assert_close(found, naive, **CLOSE)


def test_guidance_of_0_and_1_are_the_plain_models(model):
    x, cond = images_for(model, 3, SIZE), condition_for(model, 3, SIZE)
    plain = {0.0: None, 1.0: cond}
    for guidance, given in plain.items():
        found = logits_by_site(GuidedStepper(model, guidance), x, cond).log_softmax(-1)
        expected = logits_by_site(CachedStepper(model), x, given).log_softmax(-1)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    assert not torch.allclose(model.log_prob(x), model.log_prob(x, cond))


def test_drawing_with_guidance_of_0_and_1_is_drawing_plainly(model):
    shape, cond = (model.in_channels, *SIZE), condition_for(model, 3, SIZE)
    for guidance, given in {0.0: None, 1.0: cond}.items():
        drawn = [
            model.generate(
                shape,
                num_samples=3,
                cond=label,
                guidance=strength,
                generator=torch.Generator().manual_seed(4),
            )
            for label, strength in ((cond, guidance), (given, 1.0))
        ]
        assert torch.equal(*drawn)


def test_without_a_label_no_guidance_changes_anything(model):
    x = images_for(model, 2, SIZE)
    found = logits_by_site(GuidedStepper(model, 3.0), x, None)
    assert torch.equal(found, logits_by_site(CachedStepper(model), x, None))


def one_condition(model, count, size):
    """The same condition for each image: label 1, or others of the zoo."""
    second = condition_for(model, 2, size)[1:]
    return second.expand(count, *second.shape[1:])


def guided_mass(model, x, guidance):
    """Probability of whole images under guidance, by a walk that reads. (B,)."""
    scores = torch.zeros(x.shape, dtype=torch.float64)
    cond = one_condition(model, len(x), x.shape[2:])
    walk(GuidedStepper(model, guidance), x.clone(), scoring_chooser(x, scores), cond=cond)
    return scores.flatten(1).sum(1).exp()


def test_guided_mass_is_one(model):
    x = every_image(model.in_channels, model.num_classes, tiny_size(model))
    mass = guided_mass(model, x, 2.0).sum()
    torch.testing.assert_close(mass, torch.ones_like(mass), rtol=0, atol=1e-10)


# Guidance combines what heads say, whichever they are: one head is enough by default.
@pytest.mark.parametrize(
    "model",
    slow_but(lambda case: "-categorical-" in case.id and not case.marks, optional_cases()),
    indirect=True,
)
def test_guided_draws_follow_the_normalised_combination(model):
    # A right sampler fails with probability 1e-6 for each model; the seed is fixed.
    size, count = tiny_size(model), 10_000
    x = every_image(model.in_channels, model.num_classes, size)
    drawn = model.blank(count, (model.in_channels, *size))
    cond = one_condition(model, count, size)
    walk(GuidedStepper(model, 2.0), drawn, sampling_chooser(drawn, seed=11), cond=cond)
    assert fit(drawn, guided_mass(model, x, 2.0), model.num_classes) > 1e-6
