"""Work in a background thread, with its progress on the page."""

import threading
from collections.abc import Callable, Hashable, Iterator
from queue import Empty, SimpleQueue
from typing import Any, TypeAlias, TypeVar

from streamlit.runtime.scriptrunner import get_script_run_ctx

from pixelcnn.app.scheduler import SCHEDULER, Slot
from pixelcnn.pauses import at_each_pause

N = TypeVar("N")
R = TypeVar("R")

REFRESH_SECONDS = 0.5
"""Seconds between two messages to the browser: no click waits longer, however long a step takes."""

Report: TypeAlias = Callable[[N], None]


class _AbandonedError(Exception):
    """The run of the page that waits for the work has ended."""


def run_in_background(
    work: Callable[[Report[N]], R],
    show: Callable[[N | None], object],
    *,
    visitor: Hashable = None,
) -> R:
    """Runs work in a thread, in turn with other visitors, and shows its progress.

    Streamlit ends a run of the page, after a click, at its next message to the browser. A run that
    computed itself would not send one before its step ends or its slot comes; this one can end at
    any time. The work then ends after its step, at the next `pause`.

    Args:
        work: Called with a function that it calls with a progress report after each step. A report
            says all that is known so far, as those between two messages are skipped.
        show: Called in the run with the latest report, or with None if there is none, at least
            every `REFRESH_SECONDS` seconds. It must send a message to the browser.
        visitor: Whose work it is; None for the visitor whose page this run shows.

    Returns:
        The result of the work.

    Raises:
        Exception: As raised by the work or `show`.
    """
    reports: SimpleQueue[Any] = SimpleQueue()
    abandoned = threading.Event()
    outcome: dict[str, Any] = {}
    context = get_script_run_ctx(suppress_warning=True)
    if visitor is None and context is not None:
        visitor = context.session_id

    def run() -> None:
        try:
            with SCHEDULER.slot(visitor) as slot:
                outcome["result"] = _compute(work, slot, reports, abandoned)
        except Exception as error:
            outcome["error"] = error
        finally:
            reports.put(_END)

    # A daemon: a server that shuts down does not wait for it.
    threading.Thread(target=run, name="work", daemon=True).start()
    try:
        while True:
            newest, is_over = _latest(reports)
            if newest is not None or not is_over:
                show(newest)
            if is_over:
                break
    finally:
        abandoned.set()
    if "error" in outcome:
        raise outcome["error"]
    return outcome["result"]


def _compute(
    work: Callable[[Report[N]], R], slot: Slot, reports: "SimpleQueue[Any]", end: threading.Event
) -> R:
    """The result of the work, which pauses for other visitors and ends there if it must."""

    def pause() -> None:
        slot.pause()
        if end.is_set():
            raise _AbandonedError

    def report(each: N) -> None:
        reports.put(each)
        pause()

    with at_each_pause(pause):
        pause()
        return work(report)


def run_steps(
    steps: Iterator[N], show: Callable[[N | None], object], *, visitor: Hashable = None
) -> None:
    """As `run_in_background`, for work that yields its progress."""

    def work(report: Report[N]) -> None:
        for step in steps:
            report(step)

    run_in_background(work, show, visitor=visitor)


def _latest(reports: "SimpleQueue[Any]") -> tuple[Any, bool]:
    """The latest report, None if there is none for a while; and whether the work has ended."""
    newest = None
    try:
        each = reports.get(timeout=REFRESH_SECONDS)
        while each is not _END:
            newest = each
            each = reports.get_nowait()
    except Empty:
        return newest, False
    return newest, True


_END = object()
