"""Images of a walk may go on as others were: caches follow, wherever they are kept."""

import pytest
import torch

from pixelcnn.walk import CachedStepper, GuidedStepper, NaiveStepper, visit
from tests.laws.test_guidance import optional_cases
from tests.laws.test_walking import CLOSE
from tests.laws.zoo import condition_for, make

SIZE = (3, 5)
BATCH = 3
GROWN = torch.tensor([1, 0, 1])
"""A walk begins with two images, of which one goes on twice."""


@torch.inference_mode()
def check_reordered_walk(stepper, naive, *, every=2):
    """Draws at random, reorders the images again and again, and compares every logit."""
    model = stepper.model
    generator = torch.Generator().manual_seed(6)
    cond = condition_for(model, 2, SIZE)
    x = model.blank(2, (model.in_channels, *SIZE))
    naive.start(x, cond)
    steps = []

    def choose(logits, front):
        torch.testing.assert_close(logits, naive.logits(x, front), **CLOSE)
        shape = front.num_rows, len(x)
        levels = torch.randint(model.num_classes, shape, generator=generator)
        steps.append(front)
        if len(x) == BATCH and len(steps) % every == 0:
            index = torch.randint(BATCH, (BATCH,), generator=generator)
            levels, x[:] = levels[:, index], x[index]
            stepper.reorder(index)
            naive.reorder(index)
        return levels.flatten()

    fronts = list(stepper.start(x, cond).fronts())
    visit(stepper, x, fronts[:5], choose)
    x = x[GROWN]
    stepper.reorder(GROWN)
    naive.reorder(GROWN)
    visit(stepper, x, fronts[5:], choose)
    assert len(steps) > 10


@pytest.mark.parametrize("wavefront", [True, False], ids=["wavefront", "raster"])
def test_logits_after_reordering_are_those_of_a_full_pass(model, wavefront):
    has_both = model.lag is not None
    if wavefront and not has_both:
        return
    if not wavefront and has_both and model.likelihood.name == "logistic_mixture":
        return  # heads see nothing of the caches: others are enough for the rarer walk
    check_reordered_walk(CachedStepper(model, wavefront=wavefront), NaiveStepper(model))


# Guidance combines what heads and walks say, whichever they are: one head is enough.
CASES = [case for case in optional_cases() if "-categorical-" in str(case.id)]


@pytest.mark.parametrize("case", CASES)
def test_both_walks_of_guidance_are_reordered(case):
    model = make(*case)
    naive = GuidedStepper(model, 2.5, kind=NaiveStepper)
    check_reordered_walk(GuidedStepper(model, 2.5), naive, every=5)
