"""All models of a report are measured in the same way."""

import pytest
import torch

from pixelcnn.inference import complete, known_mask, score
from pixelcnn.report import Effort, compare, measure
from pixelcnn.report.measure import choose_shown
from pixelcnn.report.tables import overview
from pixelcnn.report.write import report_values
from tests.report.made import COUNT


def test_the_first_image_of_each_class_is_shown(data):
    images = data.test.take(torch.arange(COUNT))
    shown = choose_shown(images, 12)
    assert images.labels[shown[:10]].tolist() == list(range(10))
    for label, number in enumerate(shown[:10].tolist()):
        assert not (images.labels[:number] == label).any()
    assert len(set(shown.tolist())) == 12
    assert choose_shown(images.with_labels(None), 3).tolist() == [0, 1, 2]


def test_images_shown_are_completed_and_scored_given_their_own_labels(found, variants, data):
    x, cond = data.test.images[found.shown].long(), data.test.labels[found.shown]
    model, measured = variants[1].model, found.measured[1]
    known = known_mask("bottom", (1, 8, 8))
    expected = complete(model, x, known, method="raster", num_completions=2, cond=cond, seed=3)
    assert torch.equal(measured.completions, expected.images)
    torch.testing.assert_close(measured.bits, score(model, x, cond).bits_per_pixel)


def test_the_slowest_model_decides_the_number_of_samples_of_all(variants, data, monkeypatch):
    took, sampling = {"plain": 0.1}, measure.time_sampling

    def timed(variant, *others):
        return sampling(variant, *others)[0], took.get(variant.name, 10.0)

    monkeypatch.setattr(measure, "time_sampling", timed)
    effort = Effort(max_images=9, num_generated=80, num_shown=2, max_sampling_seconds=11.5)
    found = compare(variants, data, effort=effort)
    assert [len(measured.samples.x) for measured in found.measured] == [73, 73]
    assert report_values(found)["num_generated"] == 73
    assert any(
        "73 samples per model instead of 80: the slowest" in note for note in overview(found).notes
    )
    first, rest = found.measured[0].samples.x.split([64, 9])
    assert not any(torch.equal(x, y) for x in first[:9] for y in rest)


@pytest.mark.parametrize(
    "name", ["max_images", "num_generated", "num_shown", "max_sampling_seconds"]
)
def test_an_effort_of_nothing_is_refused(name):
    with pytest.raises(ValueError, match=name):
        Effort(**{name: 0})
