"""The whole page: a choice of model and page, and the page itself."""

import argparse
import importlib
import sys
import warnings
from collections.abc import Sequence

import streamlit as st

from pixelcnn.app.models import Models, find_models, first_readable
from pixelcnn.app.widgets.controls import save_settings
from pixelcnn.app.widgets.display import show_error, showing_errors
from pixelcnn.device import resolve_device
from pixelcnn.inference import UnreliableEstimateWarning
from pixelcnn.version import __version__

PAGES = {
    "Sample": "sample",
    "Complete": "complete",
    "Probabilities": "probabilities",
    "Compare": "compare",
    "About the run": "about",
}
"""Modules of `pages` by title, imported when they are first shown, so that the first page opens
quickly. Each has a function `show(choice, models)`."""

MODEL = "set.model"


# Our own: Streamlit's would be fetched from another server at each visit.
ICON = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8">
<path d="M0 0h2v2H0zM3 0h2v2H3zM6 0h2v2H6zM0 3h2v2H0zM3 3h2v2H3z" fill="#1f6fb4"/>
<path d="M6 3h2v2H6zM0 6h2v2H0zM3 6h2v2H3zM6 6h2v2H6z" fill="#739ed9"/></svg>"""

STYLE = """<style>
/* Streamlit's own "Stop" ends a run without a message; the page has its own. */
[data-testid="stStatusWidget"] button { display: none; }
</style>"""


def run_page(words: Sequence[str] | None = None) -> None:
    """Shows the page once. Streamlit calls it for every visitor and every click.

    Args:
        words: Runs, and `--device NAME`; by default the command line after `--`.
    """
    # The page shows every warning beside the estimate.
    warnings.simplefilter("ignore", UnreliableEstimateWarning)
    st.set_page_config("pixelcnn", page_icon=ICON, layout="wide")
    st.html(STYLE)
    save_settings()
    args = _parse(sys.argv[1:] if words is None else words)
    with showing_errors():
        choices = find_models(args.runs, on_error=show_error)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.markdown("## pixelcnn")
            if MODEL not in st.session_state:
                st.session_state[MODEL] = first_readable(choices)
            name = st.selectbox("Model", list(choices), key=MODEL, width=280)
        page = st.radio(
            "Page", list(PAGES), horizontal=True, label_visibility="collapsed", key="set.page"
        )
        assert name is not None and page is not None  # one is always chosen
        # By name among the models that were found: a browser cannot name another file.
        models = Models(choices, resolve_device(args.device))
        importlib.import_module(f"pixelcnn.app.views.{PAGES[page]}").show(models.open(name), models)
    st.caption(f"pixelcnn {__version__}")


def _parse(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="pixelcnn app")
    parser.add_argument("runs", nargs="*", metavar="RUN")
    parser.add_argument("--device", default="auto")
    return parser.parse_args(words)
