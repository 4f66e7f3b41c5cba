"""Work in a thread of its own, while the page looks on."""

import threading
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from typing import Any, TypeAlias, TypeVar

from pixelcnn.app.scheduler import TURNS

N = TypeVar("N")
R = TypeVar("R")

EVERY = 0.5
"""Seconds between two words to the browser: no click waits longer, whatever a step takes."""

Say: TypeAlias = Callable[[N], None]


class _LeftError(Exception):
    """Nobody looks on any more."""


def watch(work: Callable[[Say[N]], R], show: Callable[[N | None], object]) -> R:
    """Works in turns with other visitors, and shows what is new.

    Streamlit ends a run, after a click, at its next word to the browser. A run that worked itself
    would not get to it before its step ends or its turn comes; this one is free to go at any time.
    The work ends at the end of its step then.

    Args:
        work: Is given a function that it calls with news after each step.
        show: Is called in the run with the newest of the news, or with None if there are none,
            every `EVERY` seconds at least. It is to speak to the browser.

    Returns:
        What the work returned.

    Raises:
        Exception: Whatever the work or `show` raised.

    Example:
        >>> def count(say):
        ...     for number in range(1, 4):
        ...         say(number)
        ...     return "done"
        >>> watch(count, lambda newest: None)
        'done'
    """
    news: SimpleQueue[Any] = SimpleQueue()
    left = threading.Event()
    ended: dict[str, Any] = {}

    def say(each: N) -> None:
        news.put(each)
        TURNS.pass_on()
        if left.is_set():
            raise _LeftError

    def run() -> None:
        try:
            with TURNS.turn():
                if not left.is_set():
                    ended["result"] = work(say)
        except Exception as error:
            ended["error"] = error
        finally:
            news.put(_END)

    # A daemon: a server that is told to end does not wait for it.
    threading.Thread(target=run, name="work", daemon=True).start()
    try:
        while True:
            newest, is_over = _newest(news)
            if newest is not None or not is_over:
                show(newest)
            if is_over:
                break
    finally:
        left.set()
    if "error" in ended:
        raise ended["error"]
    return ended["result"]


def watch_steps(steps: Iterator[N], show: Callable[[N | None], object]) -> None:
    """As `watch`, for work whose steps are its news."""

    def work(say: Say[N]) -> None:
        for step in steps:
            say(step)

    watch(work, show)


def _newest(news: "SimpleQueue[Any]") -> tuple[Any, bool]:
    """The last of the news, None if there are none for a while; and whether there will be more."""
    newest = None
    try:
        each = news.get(timeout=EVERY)
        while each is not _END:
            newest = each
            each = news.get_nowait()
    except Empty:
        return newest, False
    return newest, True


_END = object()
