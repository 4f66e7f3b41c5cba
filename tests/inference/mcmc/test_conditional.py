"""Conditionals by chains agree with the exact ones, within their standard errors."""

import pytest
import torch

from pixelcnn.errors import ConfigError
from pixelcnn.inference import UnreliableEstimateWarning, conditional, full_conditional
from pixelcnn.inference.mcmc.conditional import gibbs, start_chains
from pixelcnn.inference.query import make_query
from pixelcnn.models import build
from pixelcnn.order import Site
from tests.inference.mcmc.test_gibbs import forget_the_suffix
from tests.inference.tiny import exact_levels, random_query, tiny_model


def unknown_site(known):
    """The middle one of those that are unknown."""
    free = (~known).nonzero()
    return Site(*free[len(free) // 2].tolist())


def errors_in_stderr(name, *, seed=1, **options):
    """How far each level is off, in standard errors, with the estimate."""
    model = tiny_model(name)
    given, known = random_query(model, seed)
    site = unknown_site(known)
    found = conditional(model, site, given=given, known=known, method="gibbs", seed=seed, **options)
    exact = exact_levels(model, site, given, known)
    return (found.probabilities - exact) / found.stderr.clamp(min=1e-9), found


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("binary", {"scan": "random"}),
        ("levels", {}),
        pytest.param("rgb", {}, marks=pytest.mark.slow),
        pytest.param("snail", {"kernel": "metropolis"}, marks=pytest.mark.slow),
    ],
)
def test_chains_find_the_exact_distribution_within_their_error(name, options):
    off, found = errors_in_stderr(name, num_chains=16, num_sweeps=100, **options)
    # Five standard errors with 15 degrees of freedom: a chance of 2e-4 for each level.
    assert off.abs().max() < 5
    assert found.is_reliable and found.method == "gibbs"
    assert found.num_draws == 16 * 100 and found.degrees == 15
    assert 0 < found.stderr.max() < 0.1
    assert found.probabilities.sum().item() == pytest.approx(1)
    assert found.diagnostics["r_hat"] < 1.05
    assert found.diagnostics["autocorrelation_time"] * found.ess == pytest.approx(16 * 100)
    assert 0 < found.diagnostics["moved"] < 1


def test_chains_that_forget_the_suffix_are_outside_their_error(monkeypatch):
    forget_the_suffix(monkeypatch)
    off, _ = errors_in_stderr("binary", num_chains=16, num_sweeps=50)
    assert off.abs().max() > 10


def test_where_all_else_is_known_the_estimate_is_exact():
    model = tiny_model("levels")
    given, known = random_query(model, 1, share=1.1)
    known[0, 0, 1] = False
    found = conditional(model, (0, 1), given=given, known=known, method="gibbs")
    expected = full_conditional(model, given[None], Site(0, 0, 1))[0]
    torch.testing.assert_close(found.probabilities, expected, rtol=0, atol=1e-12)
    assert found.is_exact and found.method == "gibbs"


def test_chains_that_hardly_move_are_unreliable():
    # Nearly all images are all dark or all bright, and single sub-pixels cannot cross over.
    model = build(
        "pixelcnn", num_residual_blocks=1, hidden_channels=8, image_size=2, num_classes=2
    ).double()
    dark_and_bright = torch.tensor([0, 1]).view(2, 1, 1, 1).expand(2, 1, 2, 2)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(60):
        optimiser.zero_grad()
        loss = -model.log_prob(dark_and_bright).mean()
        loss.backward()
        optimiser.step()
    assert loss < 0.72, "nearly log 2"
    nothing = torch.zeros(1, 2, 2, dtype=torch.bool)
    with pytest.warns(UnreliableEstimateWarning) as calls:
        found = conditional(
            model, (1, 1), given=dark_and_bright[0], known=nothing, method="gibbs", num_sweeps=50
        )
    assert {"R-hat" in str(each.message) for each in calls} == {True, False}
    assert not found.is_reliable


def test_chains_begin_at_samples_that_keep_what_is_known():
    model = build("pixelcnn", num_classes=4, num_labels=2, num_residual_blocks=1, image_size=5)
    given, known = torch.randint(4, (3, 1, 5, 5)), torch.rand(3, 1, 5, 5) < 0.5
    options = {"cond": torch.tensor([0, 1, 0]), "seed": 5}
    chains = start_chains(make_query(model, given, known, **options), 4)
    again = start_chains(make_query(model, given, known, batch_size=5, **options), 4)
    assert torch.equal(chains.x, again.x)
    kept = known.repeat_interleave(4, 0)
    assert torch.equal(chains.x[kept], given.repeat_interleave(4, 0)[kept])
    assert torch.equal(chains.images.cond, torch.tensor([0] * 4 + [1] * 4 + [0] * 4))
    assert chains.x[:4, ~known[0]].unique(dim=0).shape[0] == 4


def test_progress_counts_sweeps():
    calls = []
    query = make_query(
        tiny_model("binary"),
        torch.zeros(1, 3, 3).long(),
        torch.arange(9).view(3, 3) > 4,
        progress=lambda done, total: calls.append((done, total)),
    )
    gibbs(query, Site(0, 0, 0), num_sweeps=4, num_burn_in=3)
    assert calls == [(done, 7) for done in range(1, 8)]


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"num_chains": 1}, "`num_chains` must be at least 2"),
        ({"num_sweeps": 3}, "`num_sweeps` must be at least 4"),
        ({"num_burn_in": -1}, "`num_burn_in` must be at least 0"),
        ({"scan": "zigzag"}, "`scan` must be one of"),
        ({"num_particles": 5}, "takes no `num_particles`"),
    ],
)
def test_options_out_of_range_are_refused(options, match):
    model = tiny_model("binary")
    given, known = random_query(model, 1)
    with pytest.raises(ConfigError, match=match):
        conditional(model, unknown_site(known), given=given, known=known, method="gibbs", **options)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kernel"), [("binary", "gibbs"), ("levels", "metropolis")])
def test_intervals_of_repeated_runs_cover_the_exact_value_as_often_as_stated(name, kernel):
    model = tiny_model(name)
    given, known = random_query(model, 3)
    site = unknown_site(known)
    exact = exact_levels(model, site, given, known)
    held = 0
    for seed in range(400):
        query = make_query(model, given, known, seed=seed)
        found = gibbs(query, site, kernel=kernel, num_chains=16, num_sweeps=20)
        low, high = found.interval()
        held += int(low[0] <= exact[0] <= high[0])
    # 400 runs at 95 % hold 380 ± 13 at three sigma.
    assert 0.92 <= held / 400 <= 0.98
