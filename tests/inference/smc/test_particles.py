import pytest
import torch

from pixelcnn.inference.smc.particles import Particles
from pixelcnn.walk import image_noise
from tests.inference.tiny import every_state, random_query, tiny_model


def particles_of(model, x, known, *, populations, size, resample_below, seed=0):
    count = populations * size
    particles = Particles(
        x.expand(count, *x.shape),
        known.expand(count, *x.shape),
        image_noise(seed, 0, count, *x.shape),
        population=size,
        resample_below=resample_below,
    )
    particles.walk(model, None)
    return particles


@pytest.mark.parametrize("resample_below", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("name", ["binary", "attention", "mixture"])
def test_the_mean_weight_estimates_the_mass_of_what_is_known_without_bias(name, resample_below):
    # The mean of 400 populations is within five standard errors of the exact mass: 1e-6.
    model = tiny_model(name)
    x, known = random_query(model, 2)
    options = {"populations": 400, "size": 6, "resample_below": resample_below}
    evidence = particles_of(model, x, known, **options).log_evidence.exp()
    nothing = torch.zeros_like(known)
    images, probabilities = every_state(model, x, nothing)
    exact = probabilities[(images == x)[:, known].all(1)].sum()
    assert (evidence.mean() - exact).abs() <= 5 * evidence.std() / 20
    assert evidence.std() > 0


def test_known_sub_pixels_stay_and_samples_follow_the_model_without_weights():
    model = tiny_model("rgb")
    x, known = random_query(model, 2)
    particles = particles_of(model, x, known, populations=5, size=4, resample_below=0.5)
    assert (particles.x[:, known] == x[known]).all()
    assert len(particles.x[:, ~known].unique(dim=0)) > 1


def test_resampling_evens_out_weights():
    model = tiny_model("binary")
    x, known = random_query(model, 1)
    known[0, 2, 2] = True
    never = particles_of(model, x, known, populations=9, size=50, resample_below=0.0)
    always = particles_of(model, x, known, populations=9, size=50, resample_below=1.0)
    assert never.by_population(never.log_weights).std(1).min() > 0
    assert always.by_population(always.log_weights).std(1).max() < 1e-12


def test_populations_do_not_depend_on_their_neighbours():
    model = tiny_model("snail")
    x, known = random_query(model, 2)
    many = particles_of(model, x, known, populations=4, size=5, resample_below=0.9)
    few = particles_of(model, x, known, populations=2, size=5, resample_below=0.9)
    assert torch.equal(many.x[:10], few.x)
    torch.testing.assert_close(many.log_weights[:10], few.log_weights)
