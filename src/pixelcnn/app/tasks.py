"""Work that takes a while: how far it is, a way to stop it, and a limit."""

import time
from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from pixelcnn.app.background import watch
from pixelcnn.app.widgets.display import in_words
from pixelcnn.errors import ConfigError
from pixelcnn.inference.query import Progress

R = TypeVar("R")

MOST_SECONDS = 300.0
"""What would take longer is refused once that can be told."""

PATIENCE = 5.0
"""Seconds before anything is foretold: the first steps are slower than the others."""

STOPPED = "work.stopped"


def working(what: str, work: Callable[[Progress], R]) -> R:
    """Does what the library's functions do with a `progress`, in turns with other visitors.

    Args:
        what: Names it on the page.
        work: Is given what these functions take as `progress`.

    Raises:
        ConfigError: If it would take more than `MOST_SECONDS`.
    """
    began = time.monotonic()
    bar, stop = st.empty(), st.empty()
    bar.progress(0.0, f"{what} …")
    # Any click ends this run at its next word to the browser; this one is remembered.
    stop.button(
        "Stop", icon=":material/stop:", key=f"stop.{what}", on_click=_note_stop, args=(what,)
    )
    share, whole = 0.0, None

    def show(news: tuple[int, int] | None) -> None:
        nonlocal share, whole
        seconds = time.monotonic() - began
        if news is not None:
            done, total = news
            share, whole = done / total, seconds * total / max(done, 1)
        _refuse(seconds, whole)
        left = "" if whole is None else f", {in_words(max(0.0, whole - seconds))} left"
        bar.progress(share, f"{what}: {in_words(seconds)}{left}")

    try:
        return watch(lambda say: work(lambda done, total: say((done, total))), show)
    finally:
        bar.empty()
        stop.empty()


def was_stopped(what: str) -> bool:
    """Whether the visitor has just stopped it; told once."""
    if st.session_state.get(STOPPED) != what:
        return False
    del st.session_state[STOPPED]
    return True


def _note_stop(what: str) -> None:
    st.session_state[STOPPED] = what


def _refuse(seconds: float, whole: float | None) -> None:
    """Refuses what takes too long, or will by what was seen so far."""
    expected = max(seconds, whole or 0.0)
    if seconds > PATIENCE and expected > MOST_SECONDS:
        raise ConfigError(
            f"This would take about {in_words(expected)}, and the page stops at "
            f"{in_words(MOST_SECONDS)}: ask for less, or use the command line or Python."
        )
