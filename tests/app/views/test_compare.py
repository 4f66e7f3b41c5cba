"""Comparing on the page."""

import itertools

import streamlit as st

from pixelcnn.app.views import compare
from pixelcnn.app.views.compare import FOUND as COMPARED
from pixelcnn.checkpoint import save
from pixelcnn.models import PixelCNN
from tests.app.conftest import clicked, said


def test_models_are_compared_by_the_same_noise(page):
    app = page("Compare")
    app.multiselect(key="set.compare.models").set_value(["digits"]).run()
    assert "two models or more" in said(app.error)
    app.multiselect(key="set.compare.models").set_value(["digits", "mnist-binary"]).run()
    app.number_input(key="set.compare.count").set_value(2)
    app.number_input(key="set.compare.seed").set_value(4)
    app.slider(key="set.compare.temperature").set_value(0.5)
    app = clicked(app, "Sample")
    assert not app.exception and not app.error
    one, other = app.session_state[COMPARED]
    assert (one.request.options.seed, other.request.options.seed) == (4, 4)
    assert one.request.options.temperature == other.request.options.temperature == 0.5
    assert one.is_whole and other.images.shape == (2, 1, 28, 28)
    assert "protocols differ" in said(app.info)


def test_curves_of_runs_are_in_one_figure(page, tmp_path):
    for name in "ab":
        model = PixelCNN(num_residual_blocks=1, hidden_channels=4, image_size=6, num_classes=2)
        save(model, tmp_path / name / "model.safetensors")
        (tmp_path / name / "config.yaml").write_text("")
        log = tmp_path / name / "logs" / "version_0" / "metrics.csv"
        log.parent.mkdir(parents=True)
        log.write_text("epoch,step,train_nll,val_nll\n0,4,,15.5\n0,4,14.0,\n")
    app = page("Compare", runs=(str(tmp_path),))
    assert not app.exception and not app.error
    assert sorted(app.multiselect(key="set.compare.models").value) == ["a", "b"]
    assert [title.value for title in app.subheader] == ["Metrics", "Training"]


def test_a_comparison_that_was_stopped_shows_what_there_is(page, monkeypatch):
    app = page("Compare")
    app.multiselect(key="set.compare.models").set_value(["digits", "mnist-binary"]).run()
    app.number_input(key="set.compare.count").set_value(2)

    def run_some(steps, show):
        for each in itertools.islice(steps, 2):
            show(each)
        st.stop()

    monkeypatch.setattr(compare, "run_steps", run_some)
    app = clicked(app, "Sample")
    app = app.button(key="compare.stop").click().run()
    assert not app.exception and not app.error
    assert "Stopped after 25%." in said(app.info)
    assert "Stopped before the first row; no samples." in said(app.info)


def test_all_samples_are_shown_where_both_models_end_between_two_messages(page, monkeypatch):
    app = page("Compare")
    app.multiselect(key="set.compare.models").set_value(["digits", "mnist-binary"]).run()
    app.number_input(key="set.compare.count").set_value(1)
    monkeypatch.setattr(compare, "run_steps", lambda steps, show: show(list(steps)[-1]))
    app = clicked(app, "Sample")
    assert not app.exception and not app.error and "Stopped" not in said(app.info)
    assert all(each.bits is not None for each in app.session_state[COMPARED])
