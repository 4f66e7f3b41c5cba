"""The frame of the page: title and choice of page, shown before PyTorch is imported."""

import argparse
import importlib
import sys
from collections.abc import Sequence

import streamlit as st

from pixelcnn.version import __version__

PAGES = {
    "Sample": "sample",
    "Complete": "complete",
    "Probabilities": "probabilities",
    "Compare": "compare",
    "About the run": "about",
}
"""Modules of `views` by title, imported when they are first shown, so that the first page opens
quickly. Each has a function `show(choice, models)`."""

CONTENT = "pixelcnn.app.content"

# Our own: Streamlit's would be fetched from another server at each visit.
ICON = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8">
<path d="M0 0h2v2H0zM3 0h2v2H3zM6 0h2v2H6zM0 3h2v2H0zM3 3h2v2H3z" fill="#1f6fb4"/>
<path d="M6 3h2v2H6zM0 6h2v2H0zM3 6h2v2H3zM6 6h2v2H6z" fill="#739ed9"/></svg>"""

STYLE = """<style>
/* Streamlit's own "Stop" ends a run without a message; the page has its own. */
[data-testid="stStatusWidget"] button { display: none; }
/* Pixels stay squares, to the corners. */
[data-testid="stImage"] img { image-rendering: pixelated; border-radius: 0; }
</style>"""


def run_page(words: Sequence[str] | None = None) -> None:
    """Shows the page once. Streamlit calls it for every visitor and click.

    Args:
        words: Runs, and `--device NAME`; by default the command line after `--`.
    """
    st.set_page_config("pixelcnn", page_icon=ICON, layout="wide")
    st.html(STYLE)
    args = _parse(sys.argv[1:] if words is None else words)
    top = st.container(horizontal=True, vertical_alignment="bottom")
    top.markdown("## pixelcnn")
    st.caption("Autoregressive image models with an exact likelihood.")
    page = st.radio(
        "Page", list(PAGES), horizontal=True, label_visibility="collapsed", key="set.page"
    )
    assert page is not None  # one is always chosen
    # A visitor who comes while the modules are imported waits here for them.
    with st.spinner("Loading …"):
        content = importlib.import_module(CONTENT)
        view = importlib.import_module(f"pixelcnn.app.views.{PAGES[page]}")
    content.show_content(view.show, top, runs=args.runs, device=args.device)
    st.caption(f"pixelcnn {__version__}")


def _parse(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="pixelcnn app")
    parser.add_argument("runs", nargs="*", metavar="RUN")
    parser.add_argument("--device", default="auto")
    return parser.parse_args(words)
