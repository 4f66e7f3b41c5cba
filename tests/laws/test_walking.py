"""The walk gives the same numbers as one pass, whichever way it is taken."""

import torch

from pixelcnn.walk import CachedStepper, NaiveStepper, sampling_chooser, scoring_chooser, walk
from tests.laws.zoo import condition_for, images_for

SIZES = [(4, 9), (7, 3), (1, 1)]
CLOSE = {"rtol": 0, "atol": 1e-10}


def steppers(model):
    return {
        "naive": NaiveStepper(model),
        "cached": CachedStepper(model, wavefront=False),
        "wavefront": CachedStepper(model),
    }


def logits_by_site(stepper, x, cond):
    """Logits at every sub-pixel of given images. (B, C, H, W, K)."""
    found = torch.full((*x.shape, stepper.model.num_classes), float("nan")).double()

    def choose(logits, front):
        for logit, site in zip(logits.split(len(x)), front.sites(), strict=True):
            found[(slice(None), *site)] = logit
        return front.of(x).flatten()

    walk(stepper, x.clone(), choose, cond=cond)
    return found


def test_cached_logits_equal_naive_ones_at_every_site(model):
    for size in SIZES:
        x, cond = images_for(model, 3, size), condition_for(model, 3, size)
        naive, cached, wavefront = (
            logits_by_site(stepper, x, cond) for stepper in steppers(model).values()
        )
        assert naive.isfinite().all()
        torch.testing.assert_close(cached, naive, **CLOSE)
        torch.testing.assert_close(wavefront, naive, **CLOSE)


def test_a_walk_that_reads_scores_as_one_pass_does(model):
    for size in SIZES:
        x, cond = images_for(model, 3, size), condition_for(model, 3, size)
        scores = torch.zeros(x.shape, dtype=torch.float64)
        walk(CachedStepper(model), x.clone(), scoring_chooser(x, scores), cond=cond)
        torch.testing.assert_close(scores, model.site_log_prob(x, cond), **CLOSE)


def test_the_same_noise_draws_the_same_image_whichever_the_stepper(model):
    cond = condition_for(model, 3, (4, 9))
    drawn = []
    for stepper in steppers(model).values():
        x = model.blank(3, (model.in_channels, 4, 9))
        drawn.append(walk(stepper, x, sampling_chooser(x, seed=5), cond=cond))
    assert torch.equal(drawn[0], drawn[1])
    assert torch.equal(drawn[0], drawn[2])
    assert drawn[0].unique().numel() > 1


def test_image_log_prob_is_the_sum_over_its_sites(model):
    x, cond = images_for(model, 3, (4, 9)), condition_for(model, 3, (4, 9))
    by_site = model.site_log_prob(x, cond)
    assert by_site.shape == x.shape
    torch.testing.assert_close(model.log_prob(x, cond), by_site.sum((1, 2, 3)), **CLOSE)


def test_an_image_does_not_depend_on_its_batch(model):
    x, cond = images_for(model, 5, (4, 9)), condition_for(model, 5, (4, 9))
    together = model.log_prob(x, cond)
    parts = [slice(i, i + 1) for i in range(5)]
    alone = [model.log_prob(x[part], None if cond is None else cond[part]) for part in parts]
    torch.testing.assert_close(together, torch.cat(alone), **CLOSE)


def test_a_walk_leaves_the_model_as_it_was(model):
    model.train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for size in ((2, 2), (3, 1)):
        cond = condition_for(model, 1, size)
        model.generate((model.in_channels, *size), num_samples=1, cond=cond)
    assert model.training
    after = model.state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
