"""Facts about speed and time left, by a clock of its own."""

from types import SimpleNamespace

import pytest
import torch

from pixelcnn.data import Batch
from pixelcnn.training.callbacks.throughput import Throughput

BATCH = Batch(torch.zeros(5, 1, 2, 2))


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("pixelcnn.training.callbacks.throughput.time", clock)
    return clock


def run_epoch(pace: Throughput, trainer: SimpleNamespace, clock: Clock, *, first: int = 0) -> None:
    """Batches of 2 seconds, then 10 seconds of validation and 3 of whatever comes after it."""
    if first == 0:
        pace.on_train_epoch_start(trainer, None)
    for number in range(first, trainer.num_training_batches):
        pace.on_train_batch_start(trainer, None, BATCH, number)
        clock.now += 2
        pace.on_train_batch_end(trainer, None, None, BATCH, number)
    pace.on_validation_start(trainer, None)
    clock.now += 10
    pace.on_train_epoch_end(trainer, None)
    clock.now += 3
    trainer.current_epoch += 1


def a_trainer(**facts) -> SimpleNamespace:
    usual = {"current_epoch": 0, "max_epochs": 5, "num_training_batches": 4, "world_size": 1}
    return SimpleNamespace(**{**usual, **facts})


def test_speed_is_that_of_training_alone(clock):
    pace, trainer = Throughput(), a_trainer()
    pace.on_train_start(trainer, None)
    run_epoch(pace, trainer, clock)
    before = pace.images, pace.seconds
    run_epoch(pace, trainer, clock)
    assert before == (20, 8)
    assert pace.images_per_second == 2.5
    assert pace.speed_since(*before) == pace.speed_since(0, 0) == 2.5


def test_all_devices_count(clock):
    pace, trainer = Throughput(), a_trainer(world_size=3)
    pace.on_train_start(trainer, None)
    run_epoch(pace, trainer, clock)
    assert pace.images == 60


def test_the_time_left_counts_everything(clock):
    pace, trainer = Throughput(), a_trainer()
    assert pace.seconds_left is None
    pace.on_train_start(trainer, None)
    run_epoch(pace, trainer, clock)
    assert pace.seconds_left == 4 * 18  # what comes after the first validation is not known yet
    run_epoch(pace, trainer, clock)
    assert pace.seconds_left == 3 * (18 + 3 + 18) / 2


def test_a_run_resumed_within_an_epoch_measures_its_own_speed(clock):
    pace, trainer = Throughput(), a_trainer(current_epoch=3)
    pace.on_train_start(trainer, None)
    run_epoch(pace, trainer, clock, first=2)
    assert pace.images == 10
    assert pace.images_per_second == 2.5
    assert pace.seconds_left == (4 + 10) / 0.5
    run_epoch(pace, trainer, clock)
    assert pace.seconds_left == 0
