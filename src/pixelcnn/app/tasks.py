"""Long tasks: a progress bar, a button to stop, and a time limit."""

import time
from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from pixelcnn.app.background import run_in_background
from pixelcnn.app.widgets.display import format_seconds
from pixelcnn.errors import ConfigError
from pixelcnn.inference.query import Progress

R = TypeVar("R")

MAX_SECONDS = 300.0
"""Tasks that would take longer are refused once that is known."""

FORECAST_AFTER = 5.0
"""Seconds before the first forecast: the first steps are slower than the others."""

STOPPED = "work.stopped"


def run_task(what: str, work: Callable[[Progress], R]) -> R:
    """Runs a function of the library that takes `progress`, in turn with other visitors.

    Args:
        what: Its name on the page.
        work: Called with the argument `progress` of that function.

    Raises:
        ConfigError: If it would take more than `MAX_SECONDS`.
    """
    began = time.monotonic()
    bar, stop = st.empty(), st.empty()
    bar.progress(0.0, f"{what} …")
    # Any click ends this run at its next message to the browser; this one is remembered.
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
        left = "" if whole is None else f", {format_seconds(max(0.0, whole - seconds))} left"
        bar.progress(share, f"{what}: {format_seconds(seconds)}{left}")

    try:
        return run_in_background(
            lambda report: work(lambda done, total: report((done, total))), show
        )
    finally:
        bar.empty()
        stop.empty()


def was_stopped(what: str) -> bool:
    """Whether the visitor has just stopped it; true once."""
    if st.session_state.get(STOPPED) != what:
        return False
    del st.session_state[STOPPED]
    return True


def _note_stop(what: str) -> None:
    st.session_state[STOPPED] = what


def _refuse(seconds: float, whole: float | None) -> None:
    """Refuses a task that takes too long, or will by the forecast."""
    expected = max(seconds, whole or 0.0)
    if seconds > FORECAST_AFTER and expected > MAX_SECONDS:
        raise ConfigError(
            f"This would take about {format_seconds(expected)}, and the page stops at "
            f"{format_seconds(MAX_SECONDS)}: reduce the numbers, or use the command line or Python."
        )
