"""Work that takes a while: how far it is, a way to stop it, and a limit."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from pixelcnn.app.show import in_words
from pixelcnn.app.turns import TURNS
from pixelcnn.errors import ConfigError
from pixelcnn.inference.question import Progress

MOST_SECONDS = 300.0
"""What would take longer is refused once that can be told."""

PATIENCE = 5.0
"""Seconds before anything is foretold: the first steps are slower than the others."""


@contextmanager
def working(what: str) -> Iterator[Progress]:
    """Yields what the library's functions take as `progress`, in turns with other visitors.

    Raises:
        ConfigError: From `progress`, if it would take more than `MOST_SECONDS`.
    """
    began = time.monotonic()
    bar, stop = st.empty(), st.empty()
    bar.progress(0.0, f"{what} …")
    # Any click ends this run at its next word to the browser.
    stop.button("Stop", icon=":material/stop:", key=f"stop.{what}")

    def tell(done: int, total: int) -> None:
        TURNS.pass_on()
        seconds = time.monotonic() - began
        whole = seconds * total / max(done, 1)
        bar.progress(done / total, f"{what}: {in_words(seconds)}, {in_words(whole - seconds)} left")
        if seconds > PATIENCE and whole > MOST_SECONDS:
            raise ConfigError(
                f"This would take about {in_words(whole)}, and the page stops at "
                f"{in_words(MOST_SECONDS)}: ask for less, or use the command line or Python."
            )

    try:
        with TURNS.turn():
            yield tell
    finally:
        bar.empty()
        stop.empty()
