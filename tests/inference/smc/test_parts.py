import pytest
import torch

from pixelcnn.inference import known_mask
from pixelcnn.inference.smc.particles import Particles
from pixelcnn.inference.smc.parts import Parts, alike
from pixelcnn.models import PixelCNN
from pixelcnn.order import RasterOrder, WavefrontOrder
from pixelcnn.walk import image_noise
from tests.inference.tiny import TINY, random_query, tiny_model

SHAPE = 1, 6, 5


def parts_of(missing, order=None, *, resamples=False, num_rows=None):
    known = known_mask(missing, SHAPE)[None]
    return Parts.of(order or RasterOrder(*SHAPE), known, num_rows, resamples=resamples)


def test_a_hole_divides_a_walk_in_three():
    parts = parts_of("2:4,1:3")
    counts = len(parts.known_before), len(parts.sampled), len(parts.known_after)
    assert counts == (11, 7, 12)
    assert parts.later[0, 3].tolist() == [False, False, False, True, True]
    assert parts.share == 12 / 30


def test_populations_are_resampled_on_one_more_row():
    assert len(parts_of("2:4,1:3", resamples=True).known_after) == 12 - 5


def test_rows_that_nobody_needs_are_left_out():
    parts = parts_of("3:,:", num_rows=4)
    assert len(parts.known_before) == 15 and len(parts.sampled) == 5 and not parts.known_after


@pytest.mark.parametrize("missing", ["2:4,1:3", "top", "left", "none", "all"])
def test_no_site_is_visited_and_scored(missing):
    parts = parts_of(missing, WavefrontOrder(*SHAPE, lag=2))
    walked = torch.zeros(1, *SHAPE, dtype=torch.bool)
    for front in (*parts.known_before, *parts.sampled):
        front.of(walked).fill_(True)
    assert torch.equal(walked[0], ~parts.later)


def test_a_pass_pays_where_few_images_differ_or_much_is_left():
    parts = parts_of("top")
    assert parts.share == 0.5 and parts.pays_to_score(0.7) and not parts.pays_to_score(0.8)
    assert not parts_of("bottom").pays_to_score(0.0), "nothing is left"


def test_images_that_differ_in_a_mask_or_condition_are_not_alike():
    x, known, cond = torch.zeros(4, 2), torch.tensor([0, 0, 1, 0]), torch.tensor([3, 3, 3, 4])
    images, kind = alike(x, known, cond)
    assert sorted(images.tolist()) == [0, 2, 3]
    assert kind[0] == kind[1] and len(kind.unique()) == 3


@pytest.mark.parametrize("name", TINY)
@pytest.mark.parametrize("walked", ["one pass", "site by site"])
def test_weights_are_those_of_the_known_given_all_before(name, walked, monkeypatch):
    model = tiny_model(name)
    x, known = random_query(model, 4)
    known[:] = True
    known[-1, 0, 1] = False
    monkeypatch.setattr(Parts, "pays_to_score", lambda *_: walked == "one pass")
    particles = Particles(
        x.expand(4, -1, -1, -1),
        known.expand(4, -1, -1, -1),
        image_noise(3, 0, 4, *x.shape),
        population=4,
    )
    particles.walk(model, None)
    nats = model.site_log_prob(particles.x).where(known, 0).flatten(1).sum(1)
    torch.testing.assert_close(particles.log_weights, nats.detach())


def test_what_is_known_at_first_is_walked_once(monkeypatch):
    model = PixelCNN(num_classes=2, hidden_channels=4, num_residual_blocks=1, image_size=(6, 5))
    batches = []
    forward = model.forward

    def counting(x, cond=None, cursor=None):
        batches.append((len(x), cursor is None))
        return forward(x, cond, cursor)

    monkeypatch.setattr(model, "forward", counting)
    known = known_mask("2:4,1:3", SHAPE).expand(8, -1, -1, -1)
    x = torch.zeros(8, *SHAPE, dtype=torch.int64)
    noise = image_noise(0, 0, 8, *SHAPE)
    Particles(x, known, noise, population=8).walk(model, None)
    # A wavefront of rows 4 columns apart: the first unknown pixel (2, 1) is in front 2 × 4 + 1.
    assert batches[:10] == [(1, False)] * 9 + [(8, False)]
