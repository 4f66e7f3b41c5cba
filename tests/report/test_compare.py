"""A report holds all measurements, and is written whole or not at all."""

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
import torch
from PIL import Image

from pixelcnn.charts.curves import compared_curves
from pixelcnn.errors import ConfigError, OutputError
from pixelcnn.inference import PixelCNNSampler, score, score_unconditionally
from pixelcnn.metrics.bootstrap import percentile_interval, resampled_means, resamples_for
from pixelcnn.report import Effort, compare, write_report
from pixelcnn.report import write as writing
from pixelcnn.report.figures import pictures_of
from pixelcnn.report.highlights import highlights
from pixelcnn.report.page import as_html, as_markdown
from pixelcnn.report.tables import (
    by_class,
    overview,
    significance,
    tables_of,
)
from pixelcnn.report.variant import config_differences
from tests.report.made import COUNT, HISTORY


def test_all_are_scored_by_p_of_x_on_the_same_images(found, variants, data):
    x = data.test.images[:COUNT].long()
    for variant, measured in zip(variants, found.measured, strict=True):
        assert torch.equal(measured.nll, score_unconditionally(variant.model, x).nats)
    conditional = score(variants[1].model, x, data.test.labels[:COUNT]).nats
    assert found.measured[0].nll_conditional is None
    assert torch.equal(found.measured[1].nll_conditional, conditional)


def test_samples_of_all_are_those_of_the_sampler_with_the_same_noise(found, variants, data):
    labels = data.test.labels[:COUNT].repeat(2)[:80]
    for variant, measured, cond in zip(variants, found.measured, (None, labels), strict=True):
        expected = PixelCNNSampler(variant.model).generate_samples(80, cond=cond, seed=3)
        assert (measured.samples.x != expected).double().mean() < 0.001  # a last bit may differ
        assert measured.sampling_seconds > 0


def test_a_difference_is_paired_and_antisymmetric(found):
    one, other = found.difference(0, 1), found.difference(1, 0)
    assert one.nats == pytest.approx(-other.nats)
    nll = found.measured[0].nll
    assert one.interval == pytest.approx(paired_interval(nll - found.measured[1].nll, 0.95))
    shifted = replace(found.measured[0], nll=nll + 0.01 + 0.001 * torch.rand(COUNT))
    near = replace(found, measured=[found.measured[0], shifted])
    # Far less than images differ by, but the same for all of them.
    assert near.difference(1, 0).is_significant and nll.std() > 1
    assert near.difference(0, 1).is_significant
    same = replace(found, measured=[found.measured[0]] * 2)
    assert not same.difference(1, 0).is_significant


def test_intervals_of_more_pairs_are_wider(found):
    third = replace(found.variants[0], name="third")
    three = replace(
        found, variants=[*found.variants, third], measured=[*found.measured, found.measured[0]]
    )
    nats = found.measured[0].nll - found.measured[1].nll
    expected = paired_interval(nats, 1 - 0.05 / 3)
    assert three.difference(0, 1).interval == pytest.approx(expected)


def paired_interval(differences: torch.Tensor, level: float) -> tuple[float, float]:
    """The interval of differences of two models on the same images."""
    return percentile_interval(resampled_means(differences, resamples_for(level)), level)


def test_the_report_says_how_many_of_the_test_images_it_uses(found):
    which = f"the first {COUNT} of 355 test images of"
    page = as_html(found, [], tables_of(found), [])
    assert page.count(which) == 2 == as_markdown(found, [], tables_of(found), []).count(which)
    whole = replace(found, num_test=COUNT)
    assert whole.which == "70 test images"


def test_equal_models_are_reported_as_equal_and_none_as_best(found):
    twins = [replace(found.variants[0], name=name) for name in ("one", "two")]
    same = replace(found, variants=twins, measured=[found.measured[0]] * 2)
    assert highlights(same)[0].startswith("one and two have the same NLL of p(x), the lowest: ")
    assert overview(same).best == by_class(same).best == frozenset()
    worse = replace(found.measured[0], nll=found.measured[0].nll + 1)
    third = replace(found.variants[0], name="three")
    three = replace(found, variants=[*twins, third], measured=[*same.measured, worse])
    column = overview(three).head.index("NLL of p(x), nats")
    assert {(0, column), (1, column)} <= overview(three).best


def test_only_settings_that_matter_and_differ_are_shown(variants):
    expected = {"seed": [0, 1], "model.num_labels": [None, 10]}
    assert config_differences(variants) == expected
    bundled = replace(variants[0], settings={})
    assert config_differences([bundled, *variants]) == {k: [None, *v] for k, v in expected.items()}
    assert config_differences([variants[0], bundled]) == {}


class Tags(HTMLParser):
    """Checks that every tag that opens also closes."""

    void = ("meta", "img")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page(found, pictures):
    return as_html(found, highlights(found), tables_of(found), pictures)


def test_the_page_needs_no_other_file(page, pictures):
    sources = re.findall(r'src="([^"]*)"', page)
    assert len(sources) == len(pictures) >= 5
    for source in sources:
        kind, _, content = source.partition(";base64,")
        assert kind == "data:image/png"
        with Image.open(io.BytesIO(base64.b64decode(content))) as picture:
            picture.verify()
    assert "http" not in page and "url(" not in page and "<script" not in page
    assert "prefers-color-scheme: dark" in page and "width=device-width" in page


def test_the_page_is_well_formed_and_names_are_text(page):
    tags = Tags()
    tags.feed(page)
    assert tags.open == [] and "b" not in tags.seen
    assert "&lt;b&gt;bold &amp; &quot;quoted&quot;&lt;/b&gt;" in page
    assert re.search(
        r"<td[^>]*><span>[+-][\d.]+</span> <span>\([+-][\d.]+ … [^<]*\)</span></td>", page
    )


def test_markdown_has_the_same_tables_and_pictures(found, pictures):
    text = as_markdown(found, highlights(found), tables_of(found), pictures)
    for table in tables_of(found):
        assert f"## {table.title}" in text
    widths = {line.count("|") for line in text.splitlines() if line.startswith("| ---")}
    assert len(widths) > 1 and "![Bits per pixel](bits-per-pixel.png)" in text


def test_files_are_written_together_or_not_at_all(found, pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "pictures_of", lambda _: pictures)
    files = write_report(found, tmp_path / "out")
    assert all(file.is_file() for file in files)
    assert {file.name for file in (tmp_path / "out").iterdir()} == {file.name for file in files}

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "as_html", fail)
    before = (tmp_path / "out" / "report.html").read_bytes()
    for folder in (tmp_path / "out", tmp_path / "new"):
        with pytest.raises(OutputError, match="The disk is full"):
            write_report(found, folder)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "report.html").read_bytes() == before


def test_without_features_the_reason_is_in_the_notes(variants, data):
    little = Effort(max_images=4, num_generated=4, num_shown=2)
    found = compare(variants[:1], data, effort=little, no_features_reason="no classifier was there")
    assert any("no classifier was there" in note for note in overview(found).notes)
    assert significance(found) is None and highlights(found) == []
    assert "models of" not in as_html(found, [], tables_of(found), pictures_of(found))


def test_names_must_differ(variants, data):
    with pytest.raises(ConfigError, match="different names"):
        compare([variants[0], variants[0]], data)


def test_overlaid_curves_mark_every_best_epoch():
    later = [{**entry, "val_nll": 50.0 + entry["epoch"]} for entry in HISTORY]
    figure = compared_curves({"one": HISTORY, "two": later}, num_dims=64)
    axes = figure.axes[0]
    rings = [line for line in axes.lines if len(line.get_xdata()) == 1]
    assert [(r.get_xdata()[0], r.get_ydata()[0]) for r in rings] == [(2, 89.0), (1, 51.0)]
    assert len({line.get_color() for line in axes.lines}) == 2
