import os
import signal
import threading
import time

import pytest
import torch

import pixelcnn.walk.spread as spread
from pixelcnn.errors import ConfigError, LostProcessError
from pixelcnn.models import PixelCNN
from pixelcnn.walk.spread import walk_parts

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity"), reason="processes are forked on Linux alone"
)


@pytest.fixture(autouse=True)
def cores(monkeypatch):
    """Four cores and four threads, parts of two images, and no batch too small."""
    monkeypatch.setattr(spread, "PART", 2)
    monkeypatch.setattr("pixelcnn.walk.cuda_graphs.PART", 2)
    monkeypatch.setattr(spread, "LEAST_SIZE", 0)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(4)))
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(1)


def pids(x, part):
    """Writes the number of the process into each row in turn."""
    for row in range(x.shape[2]):
        x[:, :, row] = os.getpid()
        yield row + 1


def blank(count):
    return torch.zeros(count, 1, 3, 2, dtype=torch.int64)


@pytest.mark.parametrize(("threads", "processes"), [(1, 1), (2, 2), (4, 3)])
def test_parts_are_spread_over_as_many_processes_as_there_are_threads_for(threads, processes):
    torch.set_num_threads(threads)
    x = blank(5)
    assert list(walk_parts(x, pids)) == [1, 2, 3]
    assert len(x.unique()) == processes and (x[:2] == os.getpid()).all() and x.all()


def test_another_python_thread_does_not_fork():
    x = blank(5)
    thread = threading.Thread(target=lambda: list(walk_parts(x, pids)))
    thread.start()
    thread.join()
    assert (x == os.getpid()).all()


def test_images_are_the_same_whatever_the_number_of_threads():
    model = PixelCNN(num_classes=8, hidden_channels=16, num_labels=3, image_size=6).train()
    images = []
    for number in (1, 2, 4):
        torch.set_num_threads(number)
        options = {"cond": torch.arange(7) % 3, "seed": 5, "batch_size": 5}
        images.append(model.generate(num_samples=7, **options))
        assert torch.get_num_threads() == number and model.training
    assert torch.equal(images[0], images[1]) and torch.equal(images[0], images[2])
    assert torch.equal(images[0][2:4], model.generate(num_samples=7, **options)[2:4])


def test_what_a_part_raises_is_raised():
    def fails(x, part):
        yield 1
        if part.start == 2:
            raise ConfigError("`precision` must hold the features.")
        yield from (2, 3)

    with pytest.raises(ConfigError, match="must hold the features"):
        list(walk_parts(blank(4), fails))


def test_a_killed_process_is_named():
    def killed(x, part):
        yield 1
        if part.start == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        yield from (2, 3)

    with pytest.raises(LostProcessError, match="ended with status -9"):
        list(walk_parts(blank(4), killed))


def test_whoever_stops_ends_the_processes():
    def slow(x, part):
        yield 1
        while part.start:
            time.sleep(0.01)
        for row in range(1, x.shape[2]):
            time.sleep(0.005)
            yield row + 1

    # The first row is shown once both have it, long before the last one of 50 seconds.
    rows = walk_parts(torch.zeros(4, 1, 10_000, 1, dtype=torch.int64), slow)
    assert next(rows) == 1
    rows.close()
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
