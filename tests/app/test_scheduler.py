"""Visitors take scheduler."""

import threading
import time

from pixelcnn.app.scheduler import Scheduler


def test_steps_of_two_visitors_alternate():
    scheduler, order = Scheduler(1), []
    ready = threading.Barrier(2)

    def visit(name):
        ready.wait()
        with scheduler.slot():
            for _ in range(5):
                time.sleep(0.01)
                order.append(name)
                scheduler.yield_slot()

    visitors = [threading.Thread(target=visit, args=(name,)) for name in "ab"]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join(10)
    assert sorted(order) == list("aaaaabbbbb")
    assert order[:5].count("a") in (2, 3)


def test_no_more_compute_at_once_than_there_are_slots():
    scheduler, most, now = Scheduler(2), [], []

    def visit():
        with scheduler.slot():
            for _ in range(2):
                now.append(1)
                most.append(len(now))
                time.sleep(0.01)
                now.pop()
                scheduler.yield_slot()

    visitors = [threading.Thread(target=visit) for _ in range(6)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join(10)
    assert len(most) == 12 and max(most) == 2


def test_a_slot_is_released_when_work_fails():
    scheduler = Scheduler(1)
    for _ in range(2):
        try:
            with scheduler.slot():
                raise ValueError
        except ValueError:
            pass

    def visit():
        with scheduler.slot():
            scheduler.yield_slot()

    visitor = threading.Thread(target=visit, daemon=True)
    visitor.start()
    visitor.join(10)
    assert not visitor.is_alive(), "waits for a slot that nobody gives back"
