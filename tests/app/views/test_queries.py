"""Completions and probabilities on the page."""

import io

import numpy as np
import pytest
import streamlit as st
import torch
from PIL import Image

from pixelcnn import complete, known_mask, load, load_data
from pixelcnn.app.tasks import run_task
from pixelcnn.app.views import probabilities
from pixelcnn.app.views.complete import FOUND as COMPLETED
from pixelcnn.app.views.image_queries import EXPECTED
from pixelcnn.app.views.probabilities import FOUND as ANSWERED
from pixelcnn.app.widgets.downloads import arrays_file
from pixelcnn.checkpoint import save
from pixelcnn.errors import ConfigError
from pixelcnn.inference import expectation
from pixelcnn.models import PixelCNN
from tests.app.conftest import clicked, said


def test_completions_are_those_of_the_library(page):
    app = page("Complete")
    app.selectbox(key="set.complete.part").set_value("top")
    app.number_input(key="set.complete.count").set_value(3)
    app.number_input(key="set.complete.seed").set_value(6)
    app.number_input(key="set.complete.particles").set_value(2)
    app = clicked(app, "Complete")
    assert not app.exception and not app.error
    done = app.session_state[COMPLETED]
    test = load_data("digits").test
    x, known = test.images[:1].long(), known_mask("top:0.5", (1, 8, 8))
    assert torch.equal(done.picked.x, x) and torch.equal(done.known, known)
    options = {"num_completions": 3, "num_particles": 2, "seed": 6}
    with pytest.warns(UserWarning):
        found = complete(load("digits"), x, known, cond=test.labels[:1], **options)
    assert torch.equal(done.found.images, found.images)
    assert done.found.method == "smc"
    assert "Unreliable: " in said(app.warning)
    with np.load(io.BytesIO(arrays_file(done.found.arrays(17))), allow_pickle=False) as arrays:
        assert (arrays["x"] == found.images.numpy()).all()


def test_a_rectangle_can_be_erased(page):
    app = page("Complete")
    app = app.selectbox(key="set.complete.part").set_value("rectangle").run()
    app.slider(key="set.complete.rows.8").set_value((1, 3))
    app.slider(key="set.complete.columns.8").set_value((4, 8))
    app.number_input(key="set.complete.count").set_value(1)
    app.selectbox(key="set.complete.method").set_value("raster")
    app = clicked(app, "Complete")
    assert not app.exception and not app.error
    known = app.session_state[COMPLETED].known
    assert torch.equal(known, known_mask("1:3,4:8", (1, 8, 8)))


def test_an_uploaded_image_takes_the_size_and_levels_of_the_model(page):
    app = page("Complete")
    app = app.radio(key="set.complete.digits.source").set_value("File").run()
    file = io.BytesIO()
    Image.new("RGBA", (20, 30), (255, 255, 255, 255)).save(file, "PNG")
    app = app.file_uploader[0].set_value(("white.png", file.getvalue(), "image/png")).run()
    app.number_input(key="set.complete.count").set_value(1)
    app = clicked(app, "Complete")
    assert not app.exception and not app.error
    assert app.session_state[COMPLETED].picked.x.eq(16).all()


def test_a_text_file_named_png_is_refused_and_nothing_is_lost(page):
    app = page("Complete")
    app.number_input(key="set.complete.count").set_value(1)
    app = clicked(app, "Complete")
    before = app.session_state[COMPLETED]
    app = app.radio(key="set.complete.digits.source").set_value("File").run()
    app = app.file_uploader[0].set_value(("words.png", b"only words", "image/png")).run()
    assert not app.exception
    assert "`words.png` cannot be read as an image" in said(app.error)
    assert app.session_state[COMPLETED] is before
    assert "1 completion" in said(app.markdown)


def test_a_pixel_has_a_marginal_and_a_conditional_with_errors(page):
    app = page("Probabilities")
    app.number_input(key="set.query.row.8").set_value(3)
    app.number_input(key="set.query.column.8").set_value(2)
    app.number_input(key="set.query.draws").set_value(50)
    app = clicked(app, "Estimate")
    assert not app.exception and not app.error
    answer = app.session_state[ANSWERED]
    alone, given = answer.found.values()
    assert alone.num_draws == 50 and alone.stderr.gt(0).any()
    assert given.is_exact and given.probabilities.sum().item() == pytest.approx(1)
    assert 0 < given.probabilities[answer.level] < 1, "its own level is not given"
    assert "row 3, column 2" in answer.query
    assert [figure.label for figure in app.metric] == ["Bits", "Nats", "Bits/dim"]


def test_a_click_moves_the_site(page, monkeypatch):
    clicks = iter([(6, 1)])
    monkeypatch.setattr(probabilities, "point", lambda *_, **__: next(clicks, None))
    app = page("Probabilities")
    assert not app.exception
    assert app.number_input(key="set.query.row.8").value == 6
    assert app.number_input(key="set.query.column.8").value == 1


@pytest.mark.usefixtures("real_data")  # the test images of `mnist-256`
def test_a_brush_comes_down_to_the_size_of_another_model(page):
    app = page("Complete")
    app = app.selectbox(key="set.model").set_value("mnist-256").run()
    app = app.selectbox(key="set.complete.part").set_value("brush").run()
    app = app.slider(key="set.complete.brush").set_value(4.5).run()
    app = app.selectbox(key="set.model").set_value("digits").run()
    assert not app.exception
    assert app.slider(key="set.complete.brush").value == 2.0


def test_a_retrained_run_is_queried_and_sampled_anew(page, tmp_path):
    run = tmp_path / "mine"

    def train(levels):
        torch.manual_seed(levels)
        model = PixelCNN(num_residual_blocks=1, hidden_channels=4, image_size=6, num_classes=levels)
        save(model, run / "model.safetensors")
        images = np.random.default_rng(0).integers(0, levels, (2, 6, 6))
        np.savez(run / "data.npz", x_train=images, x_test=images, levels=levels)

    train(8)
    (run / "config.yaml").write_text(f"data:\n  dataset_name: npz:{run / 'data.npz'}\n")
    app = page("Probabilities", runs=(str(run),))
    bits = app.metric[0].value
    app = app.radio(key="set.page").set_value("Compare").run()
    app.number_input(key="set.compare.count").set_value(1)
    app = clicked(app, "Sample")
    assert "1 images" in said(app.caption)
    train(8 + 1)
    app = app.run()
    assert not app.exception and "1 images" not in said(app.caption)
    app = app.radio(key="set.page").set_value("Probabilities").run()
    assert not app.exception and app.metric[0].value != bits
    app = app.radio(key="set.page").set_value("Sample").run()
    assert app.number_input(key="set.sample.mine.top_k.9").value == 9, "all levels"


def test_a_channel_of_a_pixel_can_be_queried(page, tmp_path):
    run = tmp_path / "mine"
    model = PixelCNN(
        num_residual_blocks=1, hidden_channels=4, image_size=6, in_channels=3, num_classes=2
    )
    save(model, run / "model.safetensors")
    x = np.random.default_rng(0).integers(0, 2, (2, 6, 6, 3))
    np.savez(run / "data.npz", x_train=x, x_test=x, levels=2)
    (run / "config.yaml").write_text(f"data:\n  dataset_name: npz:{run / 'data.npz'}\n")
    app = page("Probabilities", runs=(str(run),))
    app.number_input(key="set.query.channel").set_value(2).run()
    app.number_input(key="set.query.draws").set_value(10)
    app = clicked(app, "Estimate")
    assert not app.exception and not app.error
    answer = app.session_state[ANSWERED]
    assert answer.query.startswith("channel 2, row 3, column 3")
    assert answer.level == x[0, 3, 3, 2]


def test_ink_is_as_bright_as_chosen(page, monkeypatch):
    inks = []
    monkeypatch.setattr(
        "pixelcnn.app.widgets.image_picker.paint", lambda *_, ink, **__: inks.append(ink)
    )
    app = page("Complete")
    app = app.radio(key="set.complete.digits.source").set_value("Canvas").run()
    app.slider(key="set.complete.digits.ink").set_value(0.2).run()
    assert inks == [(255, 255, 255), (51, 51, 51)]


def test_a_label_stays_while_more_is_painted(page, monkeypatch):
    painted = torch.zeros(1, 1, 8, 8).long()
    monkeypatch.setattr("pixelcnn.app.widgets.image_picker.paint", lambda *_, **__: painted)
    app = page("Complete")
    app = app.radio(key="set.complete.digits.source").set_value("Canvas").run()
    app.selectbox(key="set.complete.digits.label").set_value(7)
    app.number_input(key="set.complete.count").set_value(1)
    app.selectbox(key="set.complete.method").set_value("raster")
    app = clicked(app, "Complete")
    painted = painted + 1
    app = app.run()
    assert app.selectbox(key="set.complete.digits.label").value == 7


def test_what_would_take_too_long_is_refused_before_it_has(monkeypatch):
    monkeypatch.setattr("pixelcnn.app.tasks.FORECAST_AFTER", 0.0)
    with pytest.raises(ConfigError, match=r"would take about .* and the page stops at 5 min"):
        run_task("Counting", lambda progress: progress(1, 10**12))


@pytest.mark.parametrize(
    ("title", "button", "what", "words"),
    [
        ("Complete", "Complete", "Completing", "Stopped; no new completions."),
        ("Probabilities", "Estimate", "The marginal", "The marginal was stopped"),
        ("Probabilities", "Animate", "Estimating", "Stopped; no new animation."),
    ],
)
def test_stopped_work_says_so(page, monkeypatch, title, button, what, words):
    app = page(title)
    monkeypatch.setattr("pixelcnn.app.tasks.run_in_background", lambda work, show: st.stop())
    app = clicked(app, button)
    app = app.button(key=f"stop.{what}").click().run()
    assert not app.exception and not app.error
    assert words in said(app.info)


def test_measuring_that_was_stopped_does_not_begin_by_itself(page, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("pixelcnn.app.tasks.run_in_background", lambda work, show: st.stop())
        app = page("Probabilities")
        app = app.button(key="stop.Measuring bits").click().run()
        assert "Stopped; nothing was measured." in said(app.info) and not app.metric
        app = app.run()
        assert "Stopped; nothing was measured." in said(app.info) and not app.metric
    app = clicked(app, "Measure")
    assert not app.info and len(app.metric) == 3


def test_the_expected_image_after_each_pixel(page):
    app = page("Probabilities")
    app.number_input(key="set.query.expected").set_value(4)
    app.number_input(key="set.query.expected.seed").set_value(3)
    app = clicked(app, "Animate")
    assert not app.exception and not app.error
    _, found = app.session_state[EXPECTED]
    test = load_data("digits").test
    wanted = expectation(
        load("digits"), test.images[:1].long(), test.labels[:1], num_draws=4, seed=3
    )
    assert torch.equal(found.mean, wanted.mean)
    app = app.number_input(key="set.query.digits.number").set_value(1).run()
    assert "Animation (GIF)" not in [button.label for button in app.get("download_button")]


def test_a_test_image_is_conditioned_on_its_own_attributes_or_map(page, tmp_path):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, (6, 6, 6)).astype(np.uint8)
    attributes, maps = rng.integers(0, 2, (6, 3)), rng.random((6, 2, 6, 6))
    for kind, own, given in (
        ("attributes", attributes, {"num_attributes": 3}),
        ("maps", maps, {"num_map_channels": 2}),
    ):
        run = tmp_path / kind
        model = PixelCNN(
            num_classes=2, num_residual_blocks=1, hidden_channels=4, image_size=6, **given
        )
        save(model, run / "model.safetensors")
        np.savez(run / "data.npz", x_train=x, x_test=x, levels=2,
                 **{f"{kind}_train": own, f"{kind}_test": own})  # fmt: skip
        (run / "config.yaml").write_text(f"data:\n  dataset_name: npz:{run / 'data.npz'}\n")
        app = page("Complete", runs=(str(run),))
        app.number_input(key=f"set.complete.{kind}.number").set_value(4).run()
        app.number_input(key="set.complete.count").set_value(1)
        app = clicked(app, "Complete")
        assert not app.exception and not app.error
        picked = app.session_state[COMPLETED].picked
        assert picked.cond[0].tolist() == own[4].astype(np.float32).tolist()
