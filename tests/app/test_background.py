"""Work in a thread, looked on by the page."""

import threading
import time

import pytest

from pixelcnn.app.background import run_in_background, run_steps
from pixelcnn.app.scheduler import Scheduler


class Gone(BaseException):
    """As Streamlit ends a run."""


@pytest.fixture
def scheduler(monkeypatch):
    """One at a time, whatever machine this is."""
    scheduler = Scheduler(1)
    monkeypatch.setattr("pixelcnn.app.background.SCHEDULER", scheduler)
    return scheduler


def test_the_latest_progress_is_shown_and_the_result_is_returned():
    shown = []

    def work(report):
        for number in range(3):
            report(number)
        return "result"

    assert run_in_background(work, shown.append) == "result"
    assert [each for each in shown if each is not None][-1] == 2


def test_errors_of_the_work_are_raised_in_the_page():
    def steps():
        yield 1
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        run_steps(steps(), lambda newest: None)


def leave(newest):
    raise Gone


def test_a_page_may_end_during_a_long_step_and_the_work_ends_after_it(scheduler):
    may_go_on, steps_done = threading.Event(), []

    def steps():
        for number in range(5):
            may_go_on.wait(10)
            steps_done.append(number)
            yield number

    began = time.monotonic()
    with pytest.raises(Gone):
        run_steps(steps(), leave)
    assert time.monotonic() - began < 5, "the step takes ten seconds"
    may_go_on.set()
    assert run_in_background(lambda report: "next", lambda newest: None) == "next", (
        "the slot is given back"
    )
    assert steps_done == [0]


def test_work_that_is_abandoned_before_its_slot_leaves_nothing_behind(scheduler):
    done = []
    with scheduler.slot(), pytest.raises(Gone):
        run_in_background(lambda report: done.append("late"), leave)
    assert run_in_background(lambda report: "next", lambda newest: None) == "next"
    assert not done
