import pytest
import torch

from pixelcnn.errors import ConfigError, ShapeError
from pixelcnn.inference import UnreliableEstimateWarning, complete, known_mask, known_masks
from pixelcnn.models import PixelCNN
from tests.inference.tiny import TINY, every_state, random_query, tiny_model
from tests.laws.test_mass import fit

METHODS = ["raster", "smc"]
QUICK = {"raster": {}, "smc": {"num_particles": 4}}
# What comes of few particles on purpose is not the subject of every test.
UNRELIABLE = "ignore::pixelcnn.inference.UnreliableEstimateWarning"


def posterior(model, x, known):
    """p(image | known) of every image there is, in the order of `every_image`."""
    images, probabilities = every_state(model, x, known)
    place = model.num_classes ** torch.arange(x.numel()).flip(0)
    exact = torch.zeros(model.num_classes ** x.numel(), dtype=torch.float64)
    exact[(images.flatten(1) * place).sum(1)] = probabilities
    return exact


def smc_fit(name, seed, **options):
    """The p-value of completions of a random mask against the exact posterior."""
    model = tiny_model(name)
    x, known = random_query(model, seed)
    found = complete(model, x, known, method="smc", batch_size=16_000, **options)
    return fit(found.images[0], posterior(model, x, known), model.num_classes), found


# A right sampler fails with probability 1e-6 for each mask; the seed is fixed. Completions share
# their populations, so these are far more than are drawn.


@pytest.mark.parametrize("name", ["binary", "levels", "rgb"])
def test_smc_completions_follow_the_exact_posterior(name):
    options = {"num_completions": 600, "num_particles": 8, "num_populations": 3000}
    chance, found = smc_fit(name, 1, **options)
    assert chance > 1e-6 and found.is_reliable


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 8))
@pytest.mark.parametrize("name", TINY)
def test_smc_completions_follow_the_exact_posterior_for_many_masks(name, seed):
    options = {"num_completions": 1000, "num_particles": 12, "num_populations": 12_000}
    chance, found = smc_fit(name, seed, **options)
    assert chance > 1e-6 and found.is_reliable


@pytest.mark.filterwarnings(UNRELIABLE)
def test_few_particles_are_biased_and_unreliable_and_fail_the_test_of_the_posterior():
    options = {"num_completions": 1000, "num_particles": 2}
    chance, found = smc_fit("binary", 1, num_populations=4, **options)
    assert chance < 1e-6 and not found.is_reliable


def test_two_populations_are_unreliable_unless_nothing_known_comes_later():
    model = tiny_model("binary")
    x, known = random_query(model, 1)
    options = {"method": "smc", "num_populations": 2, "num_particles": 1}
    with pytest.warns(UnreliableEstimateWarning, match=r"2 populations are too few .* \(image 0\)"):
        complete(model, x, known, **options)
    assert complete(model, x, torch.zeros_like(known), **options).is_reliable


@pytest.mark.parametrize("name", ["binary", "rgb"])
@pytest.mark.parametrize("method", METHODS)
def test_what_follows_a_known_beginning_is_sampled_exactly(name, method):
    model = tiny_model(name)
    x, _ = random_query(model, 1)
    known = torch.zeros(x.shape, dtype=torch.bool)
    known[:, 0] = True
    options = {"num_completions": 1000, "batch_size": 8000, **QUICK[method]}
    found = complete(model, x, known, method=method, **options)
    assert fit(found.images[0], posterior(model, x, known), model.num_classes) > 1e-6
    assert found.is_reliable
    if method == "smc":
        assert found.diagnostics["ess"] == pytest.approx(3000)


@pytest.mark.filterwarnings(UNRELIABLE)
@pytest.mark.parametrize("method", METHODS)
def test_known_sub_pixels_come_back_as_they_were_under_different_masks(method):
    model = PixelCNN(num_classes=5, in_channels=3, num_residual_blocks=1, image_size=(6, 5))
    x = torch.randint(5, (6, 3, 6, 5))
    words = ["bottom", "top", "center", "random:0.3", "all", "none"]
    known = known_masks(words, (6, 3, 6, 5))
    known[3] = torch.rand(3, 6, 5) < 0.5  # also single channels
    found = complete(model, x, known, method=method, num_completions=3, **QUICK[method])
    assert found.images.shape == (6, 3, 3, 6, 5)
    for image, mask, completions in zip(x, known, found.images, strict=True):
        assert (completions[:, mask] == image[mask]).all()
    assert torch.equal(found.images[5], x[5].expand(3, -1, -1, -1))
    assert len(found.images[4].flatten(1).unique(dim=0)) == 3


@pytest.mark.parametrize("method", METHODS)
def test_nothing_known_is_sampling_and_everything_known_is_scoring(method):
    model = tiny_model("levels")
    x = random_query(model, 1)[0]
    nothing = torch.zeros(x.shape, dtype=torch.bool)
    options = {"num_completions": 1000, "batch_size": 8000, **QUICK[method]}
    found = complete(model, x, nothing, method=method, **options)
    assert fit(found.images[0], posterior(model, x, nothing), 3) > 1e-6
    assert (found.known_log_prob == 0).all()
    everything = complete(model, x, ~nothing, method=method, num_completions=2, **QUICK[method])
    assert torch.equal(everything.images[0], torch.stack([x, x]))
    expected = model.log_prob(x[None]).expand(1, 2)
    torch.testing.assert_close(everything.log_prob, expected.detach())
    torch.testing.assert_close(everything.known_log_prob, expected.detach())
    assert (everything.uncertainty == 0).all()


@pytest.mark.filterwarnings(UNRELIABLE)
@pytest.mark.parametrize("method", METHODS)
def test_completions_are_ranked_by_the_log_probability_of_the_image(method):
    model = tiny_model("rgb")
    x, known = random_query(model, 1)
    found = complete(model, x, known, method=method, num_completions=9, **QUICK[method])
    assert (found.log_prob[0].diff() <= 0).all() and found.log_prob[0].unique().numel() > 1
    torch.testing.assert_close(found.log_prob[0], model.log_prob(found.images[0]).detach())
    by_site = model.site_log_prob(found.images[0]).detach()
    torch.testing.assert_close(found.known_log_prob[0], by_site[:, known].sum(1))


def test_maps_of_mean_and_uncertainty_are_those_of_the_completions():
    model = tiny_model("levels")
    x, known = random_query(model, 1)
    found = complete(model, x, known, method="smc", num_completions=40, batch_size=8000)
    assert (found.uncertainty[0][known] == 0).all()
    torch.testing.assert_close(found.mean[0][known], x[known].double())
    site = tuple((~known).nonzero()[0].tolist())
    levels = found.images[0][(slice(None), *site)]
    shares = torch.bincount(levels, minlength=3).double() / 40
    bits = -torch.xlogy(shares, shares).sum() / torch.log(torch.tensor(2.0))
    assert found.uncertainty[0][site] == pytest.approx(float(bits))


def test_raster_names_the_images_for_which_it_is_unreliable():
    model = tiny_model("binary")
    x = torch.ones(3, 1, 3, 3, dtype=torch.int64)
    known = known_masks(["bottom", "top", "none"], (3, 1, 3, 3))
    with pytest.warns(UnreliableEstimateWarning, match=r"further on in the order \(image 1\)"):
        found = complete(model, x, known, method="raster", num_completions=5)
    assert not found.is_reliable
    assert found.diagnostics["ess"][0] == pytest.approx(5)
    assert found.diagnostics["ess"][1] < 4.99


def test_populations_that_disagree_are_unreliable():
    x = torch.randint(2, (1, 10, 10))  # noise: the model would never draw it
    options = {"num_particles": 1, "num_completions": 10}
    with pytest.warns(UnreliableEstimateWarning, match=r"ESS .* of 40 populations, .* \(image 0\)"):
        complete(tiny_model("binary"), x, known_mask("random", x.shape), method="smc", **options)


def test_smc_estimates_the_evidence_of_each_image():
    model = tiny_model("binary")
    pairs = [random_query(model, seed) for seed in (1, 2)]
    x, known = map(torch.stack, zip(*pairs, strict=True))
    found = complete(model, x, known, method="smc", num_completions=100, batch_size=8000)
    for i, (image, mask) in enumerate(pairs):
        images, probabilities = every_state(model, image, torch.zeros_like(mask))
        exact = probabilities[(images == image)[:, mask].all(1)].sum().log()
        assert found.diagnostics["log_evidence"][i] == pytest.approx(float(exact), abs=0.1)


@pytest.mark.parametrize("method", METHODS)
def test_completions_depend_on_the_seed_and_not_on_the_batch(method):
    model = PixelCNN(num_classes=3, num_labels=2, num_residual_blocks=1, image_size=(4, 5)).double()
    x, known = torch.randint(3, (2, 1, 4, 5)), known_mask("right", (1, 4, 5))
    known[:, 1:] = False
    calls = []
    options = {"cond": torch.tensor([0, 1]), "num_completions": 3, **QUICK[method]}
    options.update(method=None if method == "raster" else "smc", seed=5)
    known = known if method == "smc" else known_mask("bottom", (1, 4, 5))
    one = complete(model, x, known, batch_size=5, progress=lambda *n: calls.append(n), **options)
    other = complete(model, x, known, **options)
    assert one.method == method
    assert torch.equal(one.images, other.images)
    assert calls[-1][0] == calls[-1][1] and len(calls) > 1
    options["seed"] = 6
    assert not torch.equal(complete(model, x, known, **options).images, one.images)


def test_smc_completions_of_an_image_do_not_depend_on_its_company():
    model = PixelCNN(num_classes=3, num_residual_blocks=1, image_size=(4, 5)).double()
    x, known = torch.randint(3, (2, 1, 4, 5)), known_mask("top", (1, 4, 5))
    options = {"method": "smc", "num_completions": 3}
    both, alone = (complete(model, images, known, **options) for images in (x, x[:1]))
    assert torch.equal(both.images[:1], alone.images)


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"method": "exact"}, ConfigError, "one of raster, smc"),
        ({"method": "raster", "num_particles": 1}, ConfigError, "'raster' takes no `num_part"),
        ({"nm_completions": 2}, ConfigError, "Did you mean `num_completions`"),
        ({"method": "smc", "num_populations": 1}, ConfigError, "`num_populations`"),
        ({"method": "smc", "num_particles": 0}, ConfigError, "`num_particles`"),
        ({"num_completions": 0}, ConfigError, "`num_completions`"),
        ({"known": torch.ones(2, 1, 3, 3).bool()}, ShapeError, "`known`"),
        ({"images": torch.full((1, 3, 3), 2)}, ShapeError, r"`images` .* \[0, 2\) where"),
    ],
)
def test_what_does_not_fit_is_refused(changes, error, says):
    arguments = {
        "images": torch.ones(1, 3, 3).long(),
        "known": torch.ones(3, 3, dtype=torch.bool),
        **changes,
    }
    with pytest.raises(error, match=says):
        complete(tiny_model("binary"), **arguments)
