import pytest
import torch

from pixelcnn.errors import ConfigError, ShapeError
from pixelcnn.inference import UnreliableEstimateWarning, conditional
from pixelcnn.inference.smc import conditional as smc_module
from pixelcnn.models import PixelCNN
from tests.inference.tiny import TINY, every_state, exact_levels, random_query, tiny_model

# What each method is asked for where it is compared with the exact answer.
SAMPLING = {
    "importance": {"num_draws": 2000},
    "smc": {"num_populations": 40, "num_particles": 25},
}


def unknown_sites(known):
    return [tuple(place) for place in (~known).nonzero().tolist()]


def agrees(estimate, exact, times=6):
    # Student's tails are heavier than a normal distribution's where populations are few: six
    # standard errors of 39 degrees of freedom are passed with probability 5e-7.
    return ((estimate.probabilities - exact).abs() <= times * estimate.stderr + 1e-9).all()


@pytest.mark.parametrize("method", SAMPLING)
@pytest.mark.parametrize("name", TINY)
def test_estimates_agree_with_the_exact_value_within_their_errors(name, method):
    model = tiny_model(name)
    for seed in (1, 2) if name in ("binary", "levels") else (1,):
        x, known = random_query(model, seed)
        site = unknown_sites(known)[len(unknown_sites(known)) // 2]
        options = {"method": method, "seed": seed, "batch_size": 4000, **SAMPLING[method]}
        found = conditional(model, site, given=x, known=known, **options)
        assert agrees(found, exact_levels(model, site, x, known))
        assert found.probabilities.sum() == pytest.approx(1)
        assert found.method == method and found.num_draws == (2000 if method[0] == "i" else 1000)


@pytest.mark.parametrize("method", SAMPLING)
def test_sampled_levels_are_counted_where_there_are_too_many_to_try(method, monkeypatch):
    monkeypatch.setattr(smc_module, "MAX_BRANCHES", 2)
    model = tiny_model("levels")
    x, known = random_query(model, 3)
    known[0, 1, 2], known[0, 0, 1] = True, False
    options = {"method": method, "batch_size": 4000, **SAMPLING[method]}
    found = conditional(model, (0, 0, 1), given=x, known=known, **options)
    assert agrees(found, exact_levels(model, (0, 0, 1), x, known))
    assert (found.stderr > 0).all()


@pytest.mark.parametrize("method", SAMPLING)
def test_the_evidence_is_estimated_too(method):
    model = tiny_model("binary")
    x, known = random_query(model, 1)
    known[0, 2, 2], known[0, 1, 0] = True, False
    query = {"given": x, "known": known, "batch_size": 4000}
    found = conditional(model, (1, 0), method=method, **SAMPLING[method], **query)
    exact = conditional(model, (1, 0), method="exact", **query)
    stated = found.diagnostics["log_evidence"]
    assert stated == pytest.approx(exact.diagnostics["log_evidence"], abs=0.25)


@pytest.mark.parametrize("method", ["exact", *SAMPLING])
def test_a_known_site_has_its_level_for_certain(method):
    model = tiny_model("levels")
    x, known = random_query(model, 3)
    site = tuple(known.nonzero()[0].tolist())
    found = conditional(model, site, given=x, known=known, method=method)
    assert found.probabilities.tolist() == torch.eye(3)[x[site]].tolist()
    assert found.is_exact and (found.stderr == 0).all()


@pytest.mark.parametrize("method", ["importance", "smc"])
def test_given_all_others_any_draw_is_exact(method):
    model, x = tiny_model("rgb"), random_query(tiny_model("rgb"), 4)[0]
    known = torch.ones(x.shape, dtype=torch.bool)
    known[1, 0, 1] = False
    found = conditional(model, (1, 0, 1), given=x, known=known, method=method, batch_size=4000)
    torch.testing.assert_close(found.probabilities, exact_levels(model, (1, 0, 1), x, known))
    assert found.stderr.max() < 1e-7


@pytest.mark.parametrize("method", ["importance", "smc"])
def test_the_batch_size_does_not_change_the_estimate(method):
    model = tiny_model("binary")
    x, known = random_query(model, 1)
    site = unknown_sites(known)[0]
    sizes = {"num_draws": 40} if method == "importance" else {"num_populations": 12}
    found = [
        conditional(model, site, given=x, known=known, method=method, batch_size=size, **sizes)
        for size in (1, 130, 4000)
    ]
    for other in found[1:]:
        torch.testing.assert_close(other.probabilities, found[0].probabilities)


def test_few_images_are_enumerated_unless_another_method_is_named():
    model = tiny_model("binary")
    x, known = random_query(model, 1)
    site = unknown_sites(known)[0]
    assert conditional(model, site, given=x, known=known).method == "exact"
    wide = torch.zeros(1, 5, 9, dtype=torch.int64)
    nothing = torch.zeros(5, 9, dtype=torch.bool)
    assert conditional(model, (4, 8), given=wide, known=nothing).method == "smc"


def test_levels_of_unknown_sub_pixels_are_not_read():
    model = tiny_model("binary")
    x, known = random_query(model, 1)
    site = unknown_sites(known)[0]
    other = torch.where(known, x, 77)
    for method in ("exact", "smc"):
        both = [conditional(model, site, given=g, known=known, method=method) for g in (x, other)]
        assert torch.equal(both[0].probabilities, both[1].probabilities)


def test_uneven_weights_are_unreliable():
    model = tiny_model("binary")
    nothing = torch.zeros(1, 3, 3, dtype=torch.bool)
    images, probabilities = every_state(model, nothing.long(), nothing)
    known = nothing.clone()
    known[0, 1:] = True
    options = {"given": images[probabilities.argmin()], "known": known, "method": "importance"}
    with pytest.warns(UnreliableEstimateWarning, match="Unreliable: ESS"):
        found = conditional(model, (0, 0), num_draws=30, **options)
    assert not found.is_reliable


@pytest.mark.parametrize(
    "few",
    [
        {"method": "smc", "num_populations": 2, "num_particles": 2},
        {"method": "smc", "num_populations": 9},
        {"method": "importance", "num_draws": 9},
        {"method": "gibbs", "num_chains": 3, "num_sweeps": 200},
    ],
)
def test_too_few_populations_or_chains_to_know_are_unreliable(few):
    """Of 2 populations the effective sample size is always between 1 and 2."""
    model = tiny_model("binary")
    x, known = random_query(model, 1)
    with pytest.warns(UnreliableEstimateWarning, match="Unreliable: [239] (independent|chains)"):
        found = conditional(model, unknown_sites(known)[0], given=x, known=known, **few)
    assert not found.is_reliable


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"method": "guess"}, ConfigError, "one of exact, importance, smc"),
        ({"method": "exact", "num_draws": 5}, ConfigError, "takes no `num_draws`.*`max_states`"),
        ({"metod": "smc"}, ConfigError, "takes no `metod`.*Did you mean `method`"),
        ({"max_state": 5}, ConfigError, "takes no `max_state`.*Did you mean `max_states`"),
        ({"method": "importance", "num_draws": 1}, ConfigError, "`num_draws` must be at least 2"),
        ({"method": "smc", "num_populations": 1}, ConfigError, "`num_populations`"),
        ({"method": "smc", "num_particles": 0}, ConfigError, "`num_particles`"),
        ({"method": "smc", "resample_below": 1.5}, ConfigError, "`resample_below`"),
        ({"seed": 2**64}, ConfigError, "`seed`"),
        ({"batch_size": 0}, ConfigError, "`batch_size`"),
        ({"known": torch.ones(2, 3).bool()}, ShapeError, "`known` must have the shape"),
        ({"known": torch.ones(3, 3)}, ShapeError, "`known` must hold booleans"),
        ({"given": torch.full((1, 3, 3), 2)}, ShapeError, r"`given` .* where it is known, got 2"),
        ({"given": torch.rand(1, 3, 3)}, ShapeError, "`given` must hold integer levels"),
        ({"given": torch.zeros(3, 3).long()}, ShapeError, "`given` must have shape"),
        ({"given": torch.zeros(2, 1, 3, 3).long()}, ShapeError, "one image, got 2"),
        ({"site": (3, 3)}, ShapeError, "`site`"),
        ({"cond": 1}, ShapeError, "cond"),
    ],
)
def test_what_does_not_fit_is_refused(changes, error, says):
    model = tiny_model("binary")
    known = torch.ones(3, 3, dtype=torch.bool)
    known[0, 0] = False
    arguments = {"site": (0, 0), "given": torch.ones(1, 3, 3).long(), "known": known, **changes}
    with pytest.raises(error, match=says):
        conditional(model, arguments.pop("site"), **arguments)


@pytest.mark.slow
@pytest.mark.parametrize("method", SAMPLING)
@pytest.mark.parametrize("name", ["binary", "levels", "rgb"])
def test_95_percent_intervals_of_400_runs_cover_the_exact_value_in_92_to_98_percent(name, method):
    model = tiny_model(name)
    x, known = random_query(model, 1)
    site = unknown_sites(known)[1]
    exact = exact_levels(model, site, x, known)
    # On images so small weights are hardly ever uneven: populations resample all the same.
    often = {"num_particles": 20, "resample_below": 1.0}
    sizes = {"num_draws": 400} if method == "importance" else often
    covered = torch.zeros(len(exact))
    for seed in range(400):
        options = {"method": method, "seed": seed, "batch_size": 4000, **sizes}
        found = conditional(model, site, given=x, known=known, **options)
        low, high = found.interval()
        covered += (low <= exact) & (exact <= high)
    assert ((covered >= 0.92 * 400) & (covered <= 0.98 * 400)).all(), covered


def test_levels_that_many_populations_never_drew_have_a_small_error():
    model = PixelCNN(num_classes=21, num_residual_blocks=1, image_size=2)  # too many to be tried
    x, known = torch.zeros(1, 2, 2).long(), torch.tensor([[False, False], [True, True]])
    options = {"num_populations": 20, "num_particles": 50}
    found = conditional(model, (0, 0), given=x, known=known, method="smc", **options)
    # Three of some thousand effective draws, and not three of twenty populations.
    assert 0.001 < found.stderr.min() < 0.01
