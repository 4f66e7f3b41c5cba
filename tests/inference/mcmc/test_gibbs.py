"""Chains leave the exact posterior as it is, and reach it."""

import pytest
import torch

from pixelcnn.errors import ConfigError, ShapeError
from pixelcnn.inference.mcmc.blocks import SiteBlock
from pixelcnn.inference.mcmc.diagnostics import diagnose
from pixelcnn.inference.mcmc.gibbs import GibbsChains, full_conditional
from pixelcnn.inference.mcmc.local_evaluator import LocalEvaluator
from pixelcnn.models import PixelCNN, build
from pixelcnn.order import RasterOrder, Site
from tests.inference.listed import Listed
from tests.inference.tiny import TINY, tiny_model
from tests.laws.test_mass import fit

EXACT = {"rtol": 0, "atol": 1e-10}
KERNELS = ["gibbs", "metropolis"]


def run(chains, sweeps):
    for _ in range(sweeps):
        for _ in chains.sweep():
            pass


def forget_the_suffix(monkeypatch):
    """Breaks the kernels: a sub-pixel is updated as if nothing came after it."""
    sums = SiteBlock.sums

    def own_factor_only(block, factors):
        rows, columns = block.rows - block.window[0].start, block.columns - block.window[1].start
        own = torch.zeros_like(factors)
        own[..., block.channel, rows, columns] = factors[..., block.channel, rows, columns]
        return sums(block, own)

    monkeypatch.setattr(SiteBlock, "sums", own_factor_only)


def largest_error(name):
    """Of the full conditionals of every sub-pixel, in a sample of images."""
    model = tiny_model(name)
    listed = Listed(model)
    x = listed.images[torch.randperm(len(listed.images))[:16]]
    worst = strongest = 0.0
    for site in RasterOrder(*listed.shape):
        exact = listed.full_conditional(x, site)
        strongest = max(strongest, float(exact.max()))
        worst = max(worst, float((full_conditional(model, x, site) - exact).abs().max()))
    assert strongest > 0.85, "the distributions must be far from uniform"
    return worst


@pytest.mark.parametrize("name", TINY)
def test_full_conditionals_are_exact_at_every_site(name):
    assert largest_error(name) < 1e-10


def test_a_kernel_that_forgets_the_suffix_is_noticed_by_its_conditionals(monkeypatch):
    forget_the_suffix(monkeypatch)
    assert largest_error("binary") > 0.1


def steps_from_every_image(model, listed, site, kernel, *, seed=0):
    """One step at one site: the level and its chance, for each choice of each listed image."""
    known = torch.ones(listed.shape, dtype=torch.bool)
    known[tuple(site)] = False
    count = len(listed.images)
    chains = GibbsChains(
        model, listed.images, known, kernel=kernel, seed=seed, batch_size=listed.levels * count
    )
    (move,) = chains.sweep()
    return zip(move.levels[:, :, 0], move.probabilities[:, :, 0], strict=True)


@pytest.mark.parametrize("name", ["binary", "levels"])
def test_a_gibbs_step_leaves_the_exact_distribution_as_it_is(name):
    model = tiny_model(name)
    listed = Listed(model)
    for site in RasterOrder(*listed.shape):
        after = torch.zeros_like(listed.probabilities)
        for levels, chances in steps_from_every_image(model, listed, site, "gibbs"):
            end = listed.with_level(listed.images, site, levels)
            after.index_add_(0, end, listed.probabilities * chances)
        torch.testing.assert_close(after, listed.probabilities, **EXACT)


@pytest.mark.parametrize("name", ["levels", "rgb"])
def test_a_metropolis_step_is_in_detailed_balance(name):
    model = tiny_model(name)
    listed = Listed(model)
    every = torch.arange(len(listed.images))
    for site in [Site(0, 0, 1), Site(listed.shape[0] - 1, 1, 0)]:
        own = listed.images[(slice(None), *site)]
        prefix = prefix_conditional(listed, site)
        flow = torch.full((len(every), listed.levels), float("nan")).double()
        for seed in range(4):
            _, (levels, accept) = steps_from_every_image(
                model, listed, site, "metropolis", seed=seed
            )
            flow[every, levels] = listed.probabilities * prefix[every, levels] * accept
        seen = 0
        for level in range(listed.levels):
            back = flow[listed.with_level(listed.images, site, level), own]
            there = flow[:, level]
            both = (level != own) & there.isfinite() & back.isfinite()
            seen += int(both.sum())
            torch.testing.assert_close(there[both], back[both], rtol=1e-8, atol=0)
        assert seen > len(every) / 4


def prefix_conditional(listed, site):
    """Exact p(level | earlier sub-pixels) at a site, for each listed image. (images, K)."""
    position = RasterOrder(*listed.shape).index(site)
    order = [(slice(None), *each) for each in RasterOrder(*listed.shape)]
    earlier = torch.zeros(len(listed.images), dtype=torch.int64)
    for at in order[:position]:
        earlier = earlier * listed.levels + listed.images[at]
    own = listed.images[order[position]]
    joint = torch.zeros(listed.levels**position, listed.levels).double()
    joint.index_put_((earlier, own), listed.probabilities, accumulate=True)
    return (joint / joint.sum(1, keepdim=True))[earlier]


def chance_of_chains(name, *, kernel, scan, seed=0):
    """p-value of the images that chains visit, against the exact posterior of a random mask."""
    model = tiny_model(name)
    listed = Listed(model)
    generator = torch.Generator().manual_seed(4)
    known = torch.rand(listed.shape, generator=generator) < 0.4
    known[0, 0, -1] = known[-1, -1, -1] = True  # what comes last bears on what comes before
    known[0, 0, 0] = False
    given = listed.images[torch.randint(len(listed.images), (), generator=generator)]
    x = given.where(known, torch.randint(listed.levels, (200, *listed.shape), generator=generator))
    chains = GibbsChains(model, x, known, kernel=kernel, scan=scan, seed=seed, batch_size=800)
    run(chains, 15)
    trace = []
    for _ in range(20):
        run(chains, 1)
        trace.append(chains.x.clone())
        assert torch.equal(chains.x[:, known], given[known].expand(len(x), -1))
    nats = torch.stack([listed.probabilities.log()[listed.index(x)] for x in trace], 1)
    apart = max(1, round(3 * diagnose(nats).autocorrelation_time))
    thinned = torch.cat(trace[::apart])
    return fit(thinned, listed.posterior(given, known), listed.levels)


@pytest.mark.parametrize(
    ("name", "kernel", "scan"),
    [
        ("binary", "gibbs", "systematic"),
        ("rgb", "gibbs", "random"),
        ("levels", "metropolis", "systematic"),
        ("snail", "metropolis", "random"),
        pytest.param("mixture", "gibbs", "systematic", marks=pytest.mark.slow),
    ],
)
def test_chains_visit_images_as_often_as_the_exact_posterior(name, kernel, scan):
    # Right chains fail with probability 1e-6 each; the seeds are fixed.
    assert chance_of_chains(name, kernel=kernel, scan=scan) > 1e-6


@pytest.mark.parametrize("kernel", KERNELS)
def test_chains_that_forget_the_suffix_are_noticed(kernel, monkeypatch):
    forget_the_suffix(monkeypatch)
    assert chance_of_chains("binary", kernel=kernel, scan="systematic") < 1e-9


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_chain_does_not_depend_on_its_neighbours_or_the_batch_size(kernel):
    model = build("pixelcnn", num_classes=5, num_labels=3, num_residual_blocks=1).double()
    x, cond = torch.randint(5, (7, 1, 6, 6)), torch.arange(7) % 3
    known = torch.rand(7, 1, 6, 6) < 0.5
    options = {"kernel": kernel, "seed": 3}
    together = GibbsChains(model, x, known, cond=cond, **options)
    run(together, 2)
    part = slice(4, 6)
    alone = GibbsChains(
        model, x[part], known[part], cond=cond[part], first=4, batch_size=1, **options
    )
    # Blocks are those of all masks together, and so is the noise that belongs to them.
    alone.blocks = together.blocks
    run(alone, 2)
    assert torch.equal(together.x[part], alone.x)
    assert torch.equal(together.x[known], x[known])
    assert not torch.equal(together.x[~known], x[~known])


@pytest.mark.parametrize("scan", ["systematic", "random"])
def test_a_scan_visits_what_is_unknown(scan):
    model = build("pixelcnn", num_residual_blocks=1, num_classes=2)
    known = torch.rand(1, 6, 16) < 0.5
    chains = GibbsChains(model, torch.zeros(2, 1, 6, 16).long(), known, scan=scan)
    visits = torch.zeros(1, 6, 16)
    for _ in range(12 if scan == "random" else 1):
        for move in chains.sweep():
            visits[move.block.channel, move.block.rows, move.block.columns] += 1
    assert (visits[known] == 0).all()
    assert (visits[~known] > 0).all()
    assert scan == "random" or (visits[~known] == 1).all()


@pytest.mark.parametrize(
    ("options", "kernel"),
    [
        ({"num_classes": 2}, "gibbs"),
        ({"num_classes": 16}, "gibbs"),
        ({"num_classes": 17}, "metropolis"),
        ({"num_classes": 2, "attention_every": 1}, "metropolis"),
    ],
)
def test_few_levels_are_tried_where_that_is_local_and_others_proposed(options, kernel):
    known = torch.zeros(1, 2, 2, dtype=torch.bool)
    model = build("pixelcnn", num_residual_blocks=1, **options)
    assert GibbsChains(model, torch.zeros(1, 1, 2, 2).long(), known).kernel == kernel


def test_what_is_proposed_and_present_is_not_evaluated(monkeypatch):
    model = tiny_model("binary")
    chains = GibbsChains(
        model,
        torch.zeros(50, 1, 3, 3).long(),
        torch.zeros(3, 3, dtype=torch.bool),
        kernel="metropolis",
    )
    evaluated = []
    monkeypatch.setattr(
        chains.images,
        "_predict",
        lambda x, *rest: (
            evaluated.append(len(x)) or LocalEvaluator._predict(chains.images, x, *rest)
        ),
    )
    for move in chains.sweep():
        differ = int((move.levels[0] != move.levels[1]).sum())
        assert sum(evaluated) == differ < 50
        evaluated.clear()


def test_nothing_unknown_leaves_nothing_to_do():
    x = torch.ones(2, 1, 2, 2).long()
    chains = GibbsChains(
        PixelCNN(num_classes=2), x, torch.ones(1, 2, 2, dtype=torch.bool), scan="random"
    )
    assert list(chains.sweep()) == []
    assert torch.equal(chains.update(Site(0, 1, 1)), torch.tensor([[0.0, 1.0]] * 2).double())


def test_a_training_model_is_evaluated_and_goes_on_training():
    model = PixelCNN(dropout=0.9, num_classes=2).train()
    x = torch.zeros(1, 1, 3, 3).long()
    found = [full_conditional(model, x, Site(0, 1, 1)) for _ in range(2)]
    assert torch.equal(*found)
    assert model.training


@pytest.mark.parametrize(
    "known",
    [
        torch.ones(1, 2, 2),
        torch.ones(2, 3, dtype=torch.bool),
        torch.ones(3, 1, 2, 2, dtype=torch.bool),
    ],
)
def test_masks_that_do_not_fit_are_refused(known):
    with pytest.raises(ShapeError, match="`known` must"):
        GibbsChains(PixelCNN(num_classes=2), torch.zeros(2, 1, 2, 2).long(), known)


@pytest.mark.parametrize(
    ("option", "match"),
    [
        ({"scan": "spiral"}, "`scan` must be one of systematic, random"),
        ({"kernel": "slice"}, "`kernel` must be one of gibbs, metropolis"),
        ({"seed": -1}, "`seed` must be a whole number from 0"),
        ({"batch_size": 0}, "`batch_size` must be at least 1"),
    ],
)
def test_settings_out_of_range_are_refused(option, match):
    known = torch.zeros(1, 2, 2, dtype=torch.bool)
    with pytest.raises(ConfigError, match=match):
        GibbsChains(PixelCNN(num_classes=2), torch.zeros(2, 1, 2, 2).long(), known, **option)
