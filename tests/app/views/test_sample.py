"""Sampling on the page."""

import io
import itertools
import json
import zipfile

import numpy as np
import pytest
import streamlit as st
import torch
from PIL import Image

from pixelcnn import PixelCNNSampler, load
from pixelcnn.app.models import Choice
from pixelcnn.app.sampling import SamplingProgress, SamplingRequest, sampling_steps
from pixelcnn.app.views import sample
from pixelcnn.app.views.sample import SAMPLED
from pixelcnn.app.widgets.conditions import fitted
from pixelcnn.app.widgets.downloads import animation_file, arrays_file, grid_file, separate_files
from pixelcnn.checkpoint import read_card, save
from pixelcnn.data.sources.arrays.arrays import sample_arrays
from pixelcnn.errors import ConfigError
from pixelcnn.models import PixelCNN
from pixelcnn.runs import find_model
from pixelcnn.walk import SamplingOptions
from tests.app.conftest import clicked, said


@pytest.fixture(scope="module")
def digits() -> Choice:
    file = find_model("digits")
    return Choice(load("digits"), file, read_card("digits"), name="digits")


def request(**changes):
    count = changes.pop("num_samples", 3)
    given = {"cond": torch.tensor([1, 2, 3]), "seed": 5, "shape": (1, 8, 8)}
    return SamplingRequest(count, SamplingOptions(**{**given, **changes}))


def test_samples_are_those_of_the_sampler_row_by_row(digits):
    steps = list(sampling_steps(digits, request()))
    expected = PixelCNNSampler(digits.model).generate_samples(3, cond=[1, 2, 3], seed=5)
    assert torch.equal(steps[-1].images, expected)
    assert [round(8 * step.done) for step in steps] == [*range(1, 9), 8, 8]
    assert [len(step.frames) for step in steps] == [*range(1, 9), 8, 8]
    assert torch.equal(steps[3].images[:, :, :4], expected[:, :, :4])
    assert steps[3].images[:, :, 5:].eq(0).all()
    assert steps[3].seconds_left == pytest.approx(steps[3].seconds)


def test_bits_are_those_of_the_likelihood(digits):
    *_, samples = sampling_steps(digits, request())
    nats = digits.model.log_prob(samples.images, [1, 2, 3])
    assert torch.allclose(samples.bits.float(), -nats / np.log(2), atol=1e-3)


def test_what_the_page_cannot_hold_is_refused():
    with pytest.raises(ConfigError, match="at most 4,000,000 sub-pixels at once, got 16,777,216"):
        request(num_samples=256, shape=(1, 256, 256))


def test_a_visitor_samples_images_of_a_class_and_sees_their_bits(page):
    app = page()
    app.number_input(key="set.sample.count").set_value(4)
    app.selectbox(key="set.sample.digits.label").set_value(7)
    app.slider(key="set.sample.digits.temperature").set_value(0.7)
    app.slider(key="set.sample.digits.top_p").set_value(0.9)
    app.number_input(key="set.sample.digits.top_k.17").set_value(5)
    app = clicked(app, "Sample")
    assert not app.exception and not app.error
    samples: SamplingProgress = app.session_state[SAMPLED]
    assert samples.is_whole and samples.request.cond.tolist() == [7] * 4
    options = samples.request.options
    assert (options.temperature, options.top_k, options.top_p) == (0.7, 5, 0.9)
    assert options.guidance == 1.0
    assert "4 images" in " ".join(text.value for text in app.markdown)
    assert [button.label for button in app.get("download_button")] == [
        "Grid (PNG)",
        "Each (PNG)",
        "Growth (GIF)",
        "Levels (npz)",
    ]


def test_images_and_settings_stay_while_another_page_is_shown(page):
    app = page()
    app.number_input(key="set.sample.count").set_value(2)
    app = clicked(app, "Sample")
    before = app.session_state[SAMPLED].images
    app = app.radio(key="set.page").set_value("About the run").run()
    app = app.radio(key="set.page").set_value("Sample").run()
    assert not app.exception
    assert app.number_input(key="set.sample.count").value == 2
    assert torch.equal(app.session_state[SAMPLED].images, before)


@pytest.mark.parametrize(
    ("num_steps", "words"),
    [
        (0, "stopped before the first row; no samples"),
        (4, "stopped after 50%"),
        (8, "stopped before all bits were measured"),
    ],
)
def test_sampling_says_where_it_was_stopped_and_keeps_its_rows(page, monkeypatch, num_steps, words):
    monkeypatch.setattr(sample, "run_steps", ended_after(num_steps))
    app = clicked(page(), "Sample")
    assert app.session_state[SAMPLED].stopped == words
    app = app.button(key="sample.stop").click().run()
    assert not app.exception and not app.error
    assert words in " ".join(text.value for text in (*app.markdown, *app.info))
    assert len(app.get("download_button")) == 4 * (num_steps > 0)


def ended_after(num_steps):
    """Looks on as long as that; then Streamlit ends the run, as it does after a click."""

    def run_some(steps, show):
        show(None)
        for each in itertools.islice(steps, num_steps):
            show(each)
        st.stop()

    return run_some


def test_many_images_are_scored_in_parts(digits, monkeypatch):
    monkeypatch.setattr("pixelcnn.app.sampling.SCORE_BATCH", 2)
    *_, samples = sampling_steps(digits, request())
    nats = digits.model.log_prob(samples.images, [1, 2, 3])
    assert torch.allclose(samples.bits.float(), -nats / np.log(2), atol=1e-3)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConfigError("the model gives no numbers"), "the model gives no numbers"),
        (MemoryError(), "Out of memory: choose fewer or smaller images."),
        (torch.OutOfMemoryError(), "Out of memory: choose fewer or smaller images."),
    ],
)
def test_sampling_that_fails_says_why_and_nothing_else(page, monkeypatch, error, words):
    def failing(choice, request):
        raise error
        yield

    monkeypatch.setattr(sample, "sampling_steps", failing)
    app = clicked(page(), "Sample")
    assert [each.value for each in app.error] == [words]
    assert not app.info and SAMPLED not in app.session_state


def test_a_size_that_is_refused_says_why_and_loses_nothing(page):
    app = page()
    app.number_input(key="set.sample.count").set_value(2)
    app = clicked(app, "Sample")
    kept = app.session_state[SAMPLED]
    app.number_input(key="set.sample.count").set_value(256)
    app.number_input(key="set.sample.digits.rows").set_value(256)
    app.number_input(key="set.sample.digits.columns").set_value(256)
    app = clicked(app, "Sample")
    assert not app.exception
    assert "at most 4,000,000 sub-pixels" in said(app.error)
    assert app.session_state[SAMPLED] is kept


def test_downloads_hold_the_samples_and_their_settings(digits):
    *_, samples = sampling_steps(digits, request())
    x, notes = samples.images, samples.notes
    with Image.open(io.BytesIO(grid_file(x, 17, notes))) as grid:
        assert json.loads(grid.text["Comment"])["labels"] == [1, 2, 3]
    with zipfile.ZipFile(io.BytesIO(separate_files(x, 17, notes))) as archive:
        assert archive.namelist() == ["0000.png", "0001.png", "0002.png"]
    with Image.open(io.BytesIO(animation_file(samples.frames, 17))) as animation:
        assert animation.n_frames > 1
    content = arrays_file(sample_arrays(x, 17, notes, "labels", samples.request.cond))
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        assert (arrays["x"] == x.numpy()).all()
        assert arrays["labels"].tolist() == [1, 2, 3]
        assert int(arrays["levels"]) == 17


def test_maps_of_a_file_are_used_in_turn_and_scaled(page, tmp_path):
    model = PixelCNN(
        num_residual_blocks=1, hidden_channels=4, image_size=6, num_map_channels=2, num_classes=2
    )
    save(model, tmp_path / "mapped" / "model.safetensors")
    app = page(runs=(str(tmp_path / "mapped"),))
    app.number_input(key="set.sample.count").set_value(2)
    app = clicked(app, "Sample")
    assert "needs `cond`: a map of 2 channels" in said(app.error)
    file, maps = io.BytesIO(), torch.rand(2, 2, 12, 12)
    np.save(file, maps.numpy())
    app.file_uploader[0].set_value(("maps.npy", file.getvalue(), "application/x-npy"))
    app = clicked(app, "Sample")
    assert not app.exception and not app.error
    samples: SamplingProgress = app.session_state[SAMPLED]
    assert torch.equal(samples.request.cond, fitted(maps, (6, 6)))
    assert len(json.loads(samples.notes["Comment"])["maps_sha256"]) == 64


def test_a_new_visitor_sees_samples_without_a_click(page):
    app = page(is_new=True)
    assert not app.exception and not app.error
    assert app.session_state[SAMPLED].is_whole and len(app.session_state[SAMPLED].images) == 16
    before = app.session_state[SAMPLED]
    app.run()
    assert app.session_state[SAMPLED] is before, "once"
    other = page(is_new=True)
    assert other.session_state[SAMPLED] is before, "the next visitor does not wait"


def test_large_images_are_not_sampled_without_a_click(page, tmp_path):
    model = PixelCNN(num_residual_blocks=1, hidden_channels=4, image_size=33, num_classes=2)
    save(model, tmp_path / "large" / "model.safetensors")
    (tmp_path / "large" / "config.yaml").write_text("")
    app = page(runs=(str(tmp_path / "large"),), is_new=True)
    assert not app.exception and not app.error and SAMPLED not in app.session_state


def test_the_result_names_every_setting(page):
    app = page()
    app.number_input(key="set.sample.count").set_value(1)
    app.number_input(key="set.sample.digits.top_k.17").set_value(5)
    app.slider(key="set.sample.digits.top_p").set_value(0.9)
    app = clicked(app, "Sample")
    assert "seed 0, temperature 1, top-k 5, top-p 0.9." in said(app.markdown)
