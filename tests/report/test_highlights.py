"""The sentences for a reader in a hurry are those of the figures."""

from dataclasses import replace

import pytest

from pixelcnn.metrics import MetricResults
from pixelcnn.report.highlights import distances, glance, likelihood, speed
from pixelcnn.report.measure import NUM_TIMED
from tests.report.made import NASTY


@pytest.fixture(scope="module")
def two(found):
    """The second is better by 1.5 nats of every image, nearer to real ones, and slower."""
    better, worse = MetricResults({"fid": 2.5}), MetricResults({"fid": 10.0})
    nll = found.measured[0].nll
    first = replace(found.measured[0], judged=worse, seconds_to_draw=0.5)
    second = replace(found.measured[0], nll=nll - 1.5, judged=better, seconds_to_draw=2.0)
    variants = [replace(found.variants[0], name=name) for name in ("base", "deep")]
    return replace(found, variants=variants, measured=[first, second])


def test_the_better_model_is_named_and_how_much_better_it_is(two):
    nats = two.measured[1].nll.mean()
    assert likelihood(two) == (
        f"deep has the lowest NLL of p(x): {nats:.2f} nats per image, 1.50 nats less than base "
        f"(1.50 … 1.50)."
    )


def test_what_may_be_chance_is_said_to_be(two):
    noise = 10 * (-1.0) ** two.images.labels  # far more than the models differ by
    noisy = replace(two.measured[0], nll=two.measured[1].nll + 0.01 + noise - noise.mean())
    said = likelihood(replace(two, measured=[noisy, two.measured[1]]))
    assert "deep has the lowest" in said and "but base is not worse beyond chance (+0.01" in said


def test_the_nearest_the_farthest_the_fastest_and_the_slowest_are_named(two):
    assert distances(two) == [
        "The images of deep are nearest to real ones (FID 2.50), those of base farthest (10.00)."
    ]
    assert speed(two) == [f"base draws {NUM_TIMED} images in 0.5 s, deep takes 4.0 times as long."]


def test_how_often_a_label_told_is_drawn_is_said_with_its_interval(found):
    judged = MetricResults({"label_accuracy": 0.25, "label_accuracy_ci95": [0.17, 0.355]})
    told = replace(found, measured=[found.measured[0], replace(found.measured[1], judged=judged)])
    assert (
        f"Told a label, {NASTY} draws it in 25.0 % of 80 images, as a classifier sees them "
        f"(17.0 … 35.5 %)."
    ) in glance(told)
