"""The sentences of the summary follow from the measurements."""

from dataclasses import replace

import pytest

from pixelcnn.metrics import MetricResults
from pixelcnn.report.highlights import distances, highlights, likelihood, speed
from pixelcnn.report.measure import NUM_TIMED
from tests.report.made import NASTY


@pytest.fixture(scope="module")
def two(found):
    """The second is better by 1.5 nats of every image, nearer to real ones, and slower."""
    better, worse = MetricResults({"fid": 2.5}), MetricResults({"fid": 10.0})
    nll = found.measured[0].nll
    first = replace(found.measured[0], quality=worse, sampling_seconds=0.5)
    second = replace(found.measured[0], nll=nll - 1.5, quality=better, sampling_seconds=2.0)
    variants = [replace(found.variants[0], name=name) for name in ("base", "deep")]
    return replace(found, variants=variants, measured=[first, second])


def test_the_better_model_and_the_difference_are_named(two):
    nats = two.measured[1].nll.mean()
    assert likelihood(two) == (
        f"deep has the lowest NLL of p(x): {nats:.2f} nats/image, 1.50 nats less than base "
        f"(1.50 … 1.50)."
    )


def test_a_difference_that_is_not_significant_is_named_so(two):
    noise = 10 * (-1.0) ** two.images.labels  # far more than the models differ by
    noisy = replace(two.measured[0], nll=two.measured[1].nll + 0.01 + noise - noise.mean())
    said = likelihood(replace(two, measured=[noisy, two.measured[1]]))
    assert "deep has the lowest" in said and "but base is not significantly worse (+0.01" in said


def test_the_best_and_worst_fid_and_speed_are_named(two):
    assert distances(two) == ["deep has the lowest FID, 2.50; base the highest, 10.00."]
    assert speed(two) == [
        f"base samples {NUM_TIMED} images in 0.5 s, deep takes 4.0 times as long."
    ]


def test_label_accuracy_is_named_with_its_interval(found):
    quality = MetricResults({"label_accuracy": 0.25, "label_accuracy_ci95": [0.17, 0.355]})
    named = replace(
        found, measured=[found.measured[0], replace(found.measured[1], quality=quality)]
    )
    assert (
        f"A classifier finds the label in 25.0 % of 80 samples of {NASTY} (17.0 … 35.5 %)."
    ) in highlights(named)
