import pytest
import torch

from pixelcnn.errors import ConfigError
from pixelcnn.inference import conditional
from pixelcnn.inference.exact import enumerate_images, num_states
from pixelcnn.inference.query import make_query
from pixelcnn.order import RasterOrder
from tests.inference.tiny import TINY, exact_levels, random_query, tiny_model

CLOSE = {"rtol": 0, "atol": 1e-9}


@pytest.mark.parametrize("name", ["binary", "levels", "rgb"])
def test_conditionals_of_every_site_are_those_of_brute_force(name):
    model = tiny_model(name)
    x, known = random_query(model, 5)
    for site in RasterOrder(*x.shape):
        if not known[site]:
            found = conditional(model, site, given=x, known=known, method="exact", batch_size=7)
            expected = exact_levels(model, site, x, known)
            torch.testing.assert_close(found.probabilities, expected, **CLOSE)
            assert found.is_exact and (found.stderr == 0).all()


@pytest.mark.parametrize("name", TINY)
def test_images_that_are_possible_have_the_mass_of_what_is_known(name):
    model = tiny_model(name)
    nothing = torch.zeros(model.spec.shape, dtype=torch.bool)
    query = make_query(model, torch.zeros(model.spec.shape).long(), nothing, batch_size=100)
    mass = sum(log_prob.exp().sum() for _, log_prob in enumerate_images(query))
    torch.testing.assert_close(mass, torch.ones_like(mass), **CLOSE)


def test_the_evidence_is_the_log_probability_of_what_is_known():
    model = tiny_model("binary")
    x, known = random_query(model, 6)
    known[0, 2, 2] = True
    query = make_query(model, x, known)
    by_state = torch.cat([log_prob for _, log_prob in enumerate_images(query)]).logsumexp(0)
    unknown = tuple(int(i) for i in (~known).nonzero()[0])
    found = conditional(model, unknown, given=x, known=known, method="exact")
    assert found.diagnostics["log_evidence"] == pytest.approx(float(by_state), abs=1e-9)


def test_sub_pixels_after_the_site_and_all_known_ones_are_not_enumerated():
    model = tiny_model("binary")
    known = torch.zeros(1, 3, 3, dtype=torch.bool)
    query = make_query(model, torch.zeros(1, 3, 3).long(), known)
    order = list(RasterOrder(1, 3, 3))
    assert num_states(query, order[0]) == 2
    assert num_states(query, order[4]) == 2**5
    known[0, 2, 2] = True
    query = make_query(model, torch.zeros(1, 3, 3).long(), known)
    assert num_states(query, order[0]) == 2**8


def test_too_many_images_are_refused_with_their_number():
    model = tiny_model("levels")
    x = torch.zeros(1, 28, 28).long()
    with pytest.raises(ConfigError, match=r"3\^784 images .* `max_states` allows 1,048,576"):
        known = torch.zeros(28, 28, dtype=torch.bool)
        conditional(model, (27, 27), given=x, known=known, method="exact")
    with pytest.raises(ConfigError, match="allows 8"):
        known = torch.zeros(2, 3, dtype=torch.bool)
        options = {"method": "exact", "max_states": 8}
        conditional(model, (1, 2), given=x[:, :2, :3], known=known, **options)


def test_the_model_stays_in_its_mode_and_without_gradients():
    model = tiny_model("binary").train()
    x, known = random_query(model, 5)
    for _, log_prob in enumerate_images(make_query(model, x, known)):
        assert not log_prob.requires_grad
    assert model.training
