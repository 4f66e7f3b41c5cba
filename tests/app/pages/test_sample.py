"""Drawing on the page."""

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
from pixelcnn.app.pages import sample
from pixelcnn.app.pages.sample import DRAWN
from pixelcnn.app.sampling import SamplingProgress, SamplingRequest, drawing
from pixelcnn.app.widgets.conditions import fitted
from pixelcnn.app.widgets.downloads import film_file, grid_file, levels_file, separate_files
from pixelcnn.checkpoint import read_card, save
from pixelcnn.errors import ConfigError
from pixelcnn.models import PixelCNN
from pixelcnn.runs import find_model
from pixelcnn.walk import SamplingOptions
from tests.app.conftest import clicked, said


@pytest.fixture(scope="module")
def digits() -> Choice:
    file = find_model("digits")
    return Choice("digits", file, load("digits"), read_card("digits"))


def wish(**changes):
    count = changes.pop("num_samples", 3)
    given = {"cond": torch.tensor([1, 2, 3]), "seed": 5, "shape": (1, 8, 8)}
    return SamplingRequest(count, SamplingOptions(**{**given, **changes}))


def test_a_drawing_is_that_of_the_sampler_and_grows_row_by_row(digits):
    steps = list(drawing(digits, wish()))
    expected = PixelCNNSampler(digits.model).generate_samples(3, cond=[1, 2, 3], seed=5)
    assert torch.equal(steps[-1].images, expected)
    assert [round(8 * step.done) for step in steps] == [*range(1, 9), 8, 8]
    assert [len(step.frames) for step in steps] == [*range(1, 9), 8, 8]
    assert torch.equal(steps[3].images[:, :, :4], expected[:, :, :4])
    assert steps[3].images[:, :, 5:].eq(0).all()
    assert steps[3].seconds_left == pytest.approx(steps[3].seconds)


def test_bits_are_those_of_the_likelihood(digits):
    *_, drawn = drawing(digits, wish())
    nats = digits.model.log_prob(drawn.images, [1, 2, 3])
    assert torch.allclose(drawn.bits.float(), -nats / np.log(2), atol=1e-3)


def test_what_the_page_cannot_hold_is_refused():
    with pytest.raises(ConfigError, match="at most 4,000,000 sub-pixels at once, got 16,777,216"):
        wish(num_samples=256, shape=(1, 256, 256))


def test_a_visitor_draws_images_of_a_class_and_sees_their_bits(page):
    app = page()
    app.number_input(key="set.draw.count").set_value(4)
    app.selectbox(key="set.draw.digits.label").set_value(7)
    app.slider(key="set.draw.digits.temperature").set_value(0.7)
    app.slider(key="set.draw.digits.top_p").set_value(0.9)
    app.number_input(key="set.draw.digits.top_k.17").set_value(5)
    app = clicked(app, "Draw")
    assert not app.exception and not app.error
    drawn: SamplingProgress = app.session_state[DRAWN]
    assert drawn.is_whole and drawn.wish.cond.tolist() == [7] * 4
    options = drawn.wish.options
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
    app.number_input(key="set.draw.count").set_value(2)
    app = clicked(app, "Draw")
    before = app.session_state[DRAWN].images
    app = app.radio(key="set.page").set_value("About the run").run()
    app = app.radio(key="set.page").set_value("Draw").run()
    assert not app.exception
    assert app.number_input(key="set.draw.count").value == 2
    assert torch.equal(app.session_state[DRAWN].images, before)


@pytest.mark.parametrize(
    ("num_steps", "words"),
    [
        (0, "stopped before the first row; nothing drawn"),
        (4, "stopped after 50%"),
        (8, "stopped before all bits were measured"),
    ],
)
def test_a_drawing_says_where_it_was_stopped_and_keeps_its_rows(
    page, monkeypatch, num_steps, words
):
    monkeypatch.setattr(sample, "watch_steps", ended_after(num_steps))
    app = clicked(page(), "Draw")
    assert app.session_state[DRAWN].stopped == words
    app = app.button(key="draw.stop").click().run()
    assert not app.exception and not app.error
    assert words in " ".join(text.value for text in (*app.markdown, *app.info))
    assert len(app.get("download_button")) == 4 * (num_steps > 0)


def ended_after(num_steps):
    """Looks on as long as that; then Streamlit ends the run, as it does after a click."""

    def watch_some(steps, show):
        show(None)
        for each in itertools.islice(steps, num_steps):
            show(each)
        st.stop()

    return watch_some


def test_many_images_are_scored_in_parts(digits, monkeypatch):
    monkeypatch.setattr("pixelcnn.app.sampling.SCORED", 2)
    *_, drawn = drawing(digits, wish())
    nats = digits.model.log_prob(drawn.images, [1, 2, 3])
    assert torch.allclose(drawn.bits.float(), -nats / np.log(2), atol=1e-3)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConfigError("the model gives no numbers"), "the model gives no numbers"),
        (MemoryError(), "Out of memory: ask for fewer or smaller images."),
        (torch.OutOfMemoryError(), "Out of memory: ask for fewer or smaller images."),
    ],
)
def test_a_drawing_that_fails_says_why_and_nothing_else(page, monkeypatch, error, words):
    def failing(choice, wish):
        raise error
        yield

    monkeypatch.setattr(sample, "drawing", failing)
    app = clicked(page(), "Draw")
    assert [each.value for each in app.error] == [words]
    assert not app.info and DRAWN not in app.session_state


def test_a_size_that_is_refused_says_why_and_loses_nothing(page):
    app = page()
    app.number_input(key="set.draw.count").set_value(2)
    app = clicked(app, "Draw")
    kept = app.session_state[DRAWN]
    app.number_input(key="set.draw.count").set_value(256)
    app.number_input(key="set.draw.digits.rows").set_value(256)
    app.number_input(key="set.draw.digits.columns").set_value(256)
    app = clicked(app, "Draw")
    assert not app.exception
    assert "at most 4,000,000 sub-pixels" in said(app.error)
    assert app.session_state[DRAWN] is kept


def test_downloads_hold_what_was_drawn_and_how(digits):
    *_, drawn = drawing(digits, wish())
    x, notes = drawn.images, drawn.notes
    with Image.open(io.BytesIO(grid_file(x, 17, notes))) as grid:
        assert json.loads(grid.text["Comment"])["labels"] == [1, 2, 3]
    with zipfile.ZipFile(io.BytesIO(separate_files(x, 17, notes))) as archive:
        assert archive.namelist() == ["0000.png", "0001.png", "0002.png"]
    with Image.open(io.BytesIO(film_file(drawn.frames, 17))) as film:
        assert film.n_frames > 1
    content = levels_file(x, 17, notes, "labels", drawn.wish.cond)
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        assert (arrays["x"] == x.numpy()).all()
        assert arrays["labels"].tolist() == [1, 2, 3]
        assert int(arrays["levels"]) == 17


def test_maps_of_a_file_are_told_in_turn_and_scaled(page, tmp_path):
    model = PixelCNN(
        num_residual_blocks=1, hidden_channels=4, image_size=6, num_map_channels=2, num_classes=2
    )
    save(model, tmp_path / "mapped" / "model.safetensors")
    app = page(runs=(str(tmp_path / "mapped"),))
    app.number_input(key="set.draw.count").set_value(2)
    app = clicked(app, "Draw")
    assert "needs `cond`: a map of 2 channels" in said(app.error)
    file, maps = io.BytesIO(), torch.rand(2, 2, 12, 12)
    np.save(file, maps.numpy())
    app.file_uploader[0].set_value(("maps.npy", file.getvalue(), "application/x-npy"))
    app = clicked(app, "Draw")
    assert not app.exception and not app.error
    drawn: SamplingProgress = app.session_state[DRAWN]
    assert torch.equal(drawn.wish.cond, fitted(maps, (6, 6)))
    assert len(json.loads(drawn.notes["Comment"])["maps_sha256"]) == 64
