"""The ends of chains follow the exact posterior, and keep what is known."""

import pytest
import torch

from pixelcnn.errors import ConfigError
from pixelcnn.inference import UnreliableEstimateWarning
from pixelcnn.inference.complete import complete
from pixelcnn.inference.mcmc.completions import gibbs_completions
from pixelcnn.inference.query import make_query
from pixelcnn.models import build
from tests.inference.listed import Listed
from tests.inference.mcmc.test_gibbs import forget_the_suffix
from tests.inference.tiny import random_query, tiny_model
from tests.laws.test_mass import fit


def chance_of_completions(name, **options):
    """p-value of 1500 completions against the exact posterior."""
    model = tiny_model(name)
    given, known = random_query(model, 1)
    known.view(-1)[-1] = True
    query = make_query(model, given, known, seed=2, batch_size=3000)
    found = gibbs_completions(query, 1500, num_sweeps=16, **options)
    listed = Listed(model)
    return fit(found.images[0], listed.posterior(given, known), listed.levels)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("binary", {"scan": "random", "start": "raster"}),
        ("levels", {"kernel": "metropolis", "num_particles": 3}),
    ],
)
def test_completions_follow_the_exact_posterior(name, options):
    # Right chains fail with probability 1e-6 each; the seeds are fixed.
    assert chance_of_completions(name, **options) > 1e-6


def test_completions_that_forget_the_suffix_are_noticed(monkeypatch):
    forget_the_suffix(monkeypatch)
    assert chance_of_completions("binary", num_particles=3) < 1e-9


def test_chains_begin_at_completions_of_smc_or_raster():
    model = tiny_model("binary")
    given, known = random_query(model, 1)
    known.view(-1)[-1] = True
    begun = {}
    for start in ("raster", "smc"):
        query = make_query(model, given, known, seed=2, batch_size=3000)
        frames = []
        gibbs_completions(query, 1500, num_sweeps=8, start=start, on_sweep=frames.append)
        begun[start] = frames[0][0]
    listed = Listed(model)
    chance = {
        start: fit(x, listed.posterior(given, known), listed.levels) for start, x in begun.items()
    }
    assert chance["raster"] < 1e-9 < 1e-3 < chance["smc"]


def test_chains_begun_at_exact_samples_are_reliable():
    model = tiny_model("binary")
    nothing = torch.zeros(1, 3, 3).bool()
    found = complete(model, torch.zeros(1, 3, 3).long(), nothing, method="gibbs", num_sweeps=8)
    assert found.is_reliable


def test_each_image_keeps_what_is_known_of_it():
    model = build("pixelcnn", num_classes=4, num_labels=2, num_residual_blocks=1, hidden_channels=8)
    images, known = torch.randint(4, (4, 1, 5, 5)), torch.rand(4, 1, 5, 5) < 0.5
    known[2], known[3] = True, False
    calls, seen = [], []
    found = gibbs_completions(
        make_query(model, images, known, cond=1, progress=lambda *counts: calls.append(counts)),
        3,
        num_sweeps=8,
        on_sweep=seen.append,
    )
    assert found.images.shape == (4, 3, 1, 5, 5)
    for row in found.images.unbind(1):
        assert torch.equal(row[known], images[known])
    assert (found.log_prob.diff(dim=1) <= 0).all(), "the most probable come first"
    torch.testing.assert_close(
        found.log_prob[0].float(), model.log_prob(found.images[0], 1).detach()
    )
    assert calls == [(done, 8) for done in range(1, 9)]
    assert len(seen) == 9 and seen[0].shape == found.images.shape
    assert found.diagnostics["r_hat"][2] == 1, "nothing changes where everything is known"


def test_the_method_is_named_and_warns_of_chains_that_disagree():
    # But for their last pixel nearly all images are all dark or all bright, and single sub-pixels
    # cannot cross over.
    model = build(
        "pixelcnn", num_residual_blocks=1, hidden_channels=8, image_size=2, num_classes=2
    ).double()
    dark_and_bright = torch.tensor([0, 1]).view(2, 1, 1, 1).repeat(2, 1, 2, 2)
    dark_and_bright[:, :, 1, 1] = torch.tensor([0, 0, 1, 1])[:, None]
    known = torch.tensor([[False, False], [False, True]])
    optimiser = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(60):
        optimiser.zero_grad()
        (-model.log_prob(dark_and_bright).mean()).backward()
        optimiser.step()
    with torch.no_grad():
        model.out.bias += 0.3  # one of them more probable than the other
    with pytest.warns(UnreliableEstimateWarning, match="Unreliable: R-hat"):
        found = complete(
            model, dark_and_bright[0], known, method="gibbs", num_completions=16, start="raster"
        )
    assert found.method == "gibbs" and not found.is_reliable


def test_too_few_sweeps_are_refused():
    model = tiny_model("binary")
    with pytest.raises(ConfigError, match="`num_sweeps` must be at least 8"):
        complete(
            model,
            torch.zeros(1, 3, 3).long(),
            torch.zeros(3, 3).bool(),
            method="gibbs",
            num_sweeps=7,
        )


def test_an_unknown_start_is_refused():
    model = tiny_model("binary")
    nothing = torch.zeros(1, 3, 3)
    with pytest.raises(ConfigError, match="`start` must be one of raster, smc, got 'noise'"):
        complete(model, nothing.long(), nothing.bool(), method="gibbs", start="noise")


@pytest.mark.parametrize("start", ["raster", "smc"])
@pytest.mark.parametrize(("num_completions", "warns"), [(1, True), (3, True), (4, False)])
def test_few_chains_are_never_reliable(start, num_completions, warns):
    model = tiny_model("binary")
    known = torch.zeros(1, 3, 3).bool()
    known[0, 2] = True
    query = make_query(model, torch.zeros(1, 3, 3).long(), known)
    found = gibbs_completions(query, num_completions, start=start, num_sweeps=8)
    few = [each for each in found.warnings if "to know whether the posterior is reached" in each]
    assert bool(few) == warns
