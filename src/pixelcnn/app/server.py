"""The server of `pixelcnn app`: Streamlit, and what all visitors need, imported ahead."""

import importlib
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from streamlit import runtime
from streamlit.web.cli import main

from pixelcnn.app.page import CONTENT

ENTRY = Path(__file__).with_name("entry.py")
AHEAD = (CONTENT, "pixelcnn.app.views.sample")
GRACE = 1.2
"""Seconds for the browser of a visitor who waits: imports would keep the server from its files."""


def import_ahead() -> None:
    """Imports the content of the page, soon after the server listens."""
    while not runtime.exists():
        time.sleep(0.01)
    time.sleep(GRACE)
    for name in AHEAD:
        importlib.import_module(name)


def serve(words: Sequence[str]) -> None:
    """Serves until it is ended, with the options of `streamlit run` and what follows `--`."""
    threading.Thread(target=import_ahead, name="import ahead", daemon=True).start()
    main(["run", str(ENTRY), *words])


if __name__ == "__main__":
    serve(sys.argv[1:])
