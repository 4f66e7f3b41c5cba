"""The page without a browser: Streamlit's own test harness runs it in this process."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("streamlit", reason="the extra `app` is not installed")

import streamlit as st
from streamlit.testing.v1 import AppTest

from pixelcnn.app.views.sample import WELCOMED

ENTRY = Path(__file__).parents[2] / "demo" / "app.py"


def opened(*words: str) -> None:
    """What the harness runs: the page with the words of a command line."""
    from pixelcnn.app.page import run_page

    run_page(list(words))


def said(elements) -> str:
    """What stands there, without the strokes before signs that are no Markdown."""
    return " ".join(re.sub(r"\\(.)", r"\1", element.value) for element in elements)


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., AppTest]]:
    """Opens the page of a title, on `digits` unless runs are named, in an empty folder.

    Nothing is sampled unless the visitor is new.
    """
    monkeypatch.chdir(tmp_path)

    def open_page(
        title: str = "Sample", *, runs: tuple[str, ...] = (), is_new: bool = False
    ) -> AppTest:
        words = (*runs, "--device", "cpu")
        app = AppTest.from_function(opened, args=words, default_timeout=60)
        app.session_state[WELCOMED] = not is_new
        app.run()
        return app.radio(key="set.page").set_value(title).run() if title != "Sample" else app

    yield open_page
    st.cache_resource.clear()


def clicked(app, label):
    """The page after a click on a button."""
    return next(button for button in app.button if button.label == label).click().run()
