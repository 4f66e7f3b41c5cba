"""Visitors take turns."""

import threading
import time

from pixelcnn.app.scheduler import HALF_LIFE, Scheduler


def test_steps_of_two_visitors_alternate():
    scheduler, order = Scheduler(1), []
    ready = threading.Barrier(2)

    def visit(name):
        ready.wait()
        with scheduler.slot(name) as slot:
            for _ in range(5):
                time.sleep(0.01)
                order.append(name)
                slot.pause()

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
        with scheduler.slot() as slot:
            for _ in range(2):
                now.append(1)
                most.append(len(now))
                time.sleep(0.01)
                now.pop()
                slot.pause()

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
        with scheduler.slot() as slot:
            slot.pause()

    visitor = threading.Thread(target=visit, daemon=True)
    visitor.start()
    visitor.join(10)
    assert not visitor.is_alive(), "waits for a slot that nobody gives back"


def test_who_has_computed_least_lately_goes_first():
    now, order = 0.0, []
    scheduler = Scheduler(1, clock=lambda: now)
    begun, long_waits = threading.Event(), threading.Event()

    def compute_long():
        with scheduler.slot("long") as slot:
            order.append("long")
            begun.set()
            long_waits.wait(10)
            slot.pause()
            order.append("long again")

    def compute_briefly():
        nonlocal now
        with scheduler.slot("brief") as slot:
            for _ in range(3):
                now += 1
                slot.pause()
                order.append("brief")

    visitors = [threading.Thread(target=each) for each in (compute_long, compute_briefly)]
    visitors[0].start()
    assert begun.wait(10)
    now = 60.0
    visitors[1].start()
    while not scheduler.num_waiting:
        time.sleep(0.001)
    long_waits.set()
    for visitor in visitors:
        visitor.join(10)
    assert order == ["long", "brief", "brief", "brief", "long again"]


def test_computing_counts_half_after_a_while():
    now = 0.0
    scheduler = Scheduler(1, clock=lambda: now)
    with scheduler.slot("a"):
        now = 8.0
    now += HALF_LIFE
    assert scheduler.recent("a") == 4
    now += 100 * HALF_LIFE
    with scheduler.slot("b"):
        now += 1
    assert scheduler.recent("b") == 1 and scheduler.recent("a") == 0
