import threading

import pytest
import torch

from pixelcnn.models import PixelCNN
from pixelcnn.threads import one_thread
from pixelcnn.walk import CachedStepper, walk_rows


@pytest.fixture(autouse=True)
def pool():
    """Three threads, as on a larger machine; one again afterwards."""
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(1)


def in_another_thread(work):
    found = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


def test_the_number_is_restored_also_on_errors_and_inside():
    with pytest.raises(KeyError), one_thread():
        with one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 1, "the outer one still holds"
        raise KeyError
    assert torch.get_num_threads() == 3
    assert in_another_thread(torch.get_num_threads) == 3


def test_one_that_the_user_set_stays():
    torch.set_num_threads(1)
    with one_thread():
        pass
    assert torch.get_num_threads() == 1


@pytest.mark.parametrize("first_ends_first", [True, False])
def test_two_python_threads_at_once_restore_the_pool(first_ends_first):
    inside, leave, left = threading.Event(), threading.Event(), []

    def work():
        with one_thread():
            inside.set()
            leave.wait(10)
        left.append(torch.get_num_threads())

    other = threading.Thread(target=work)
    with one_thread():
        other.start()  # born while the pool is put aside
        assert inside.wait(10)
        if not first_ends_first:
            leave.set()
            other.join()
    if first_ends_first:
        leave.set()
        other.join()
    assert left == [3] and torch.get_num_threads() == 3
    assert in_another_thread(torch.get_num_threads) == 3


def test_a_walk_uses_one_thread_and_whoever_looks_on_has_the_pool():
    model = PixelCNN(num_classes=2, num_residual_blocks=1, hidden_channels=4, image_size=3)
    x = torch.zeros(2, 1, 3, 3, dtype=torch.int64)
    inside = []

    def choose(logits, front):
        inside.append(torch.get_num_threads())
        return logits.argmax(1)

    for _ in walk_rows(CachedStepper(model), x, choose):
        assert torch.get_num_threads() == 3
        if len(inside) > 4:
            break  # a walk that nobody goes on with
    assert set(inside) == {1} and torch.get_num_threads() == 3


@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_the_same_whatever_the_number_of_threads(channels):
    model = PixelCNN(num_classes=8, in_channels=channels, hidden_channels=48, image_size=12)
    images = []
    for number in (1, 2, 4):
        torch.set_num_threads(number)
        generator = torch.Generator().manual_seed(1)
        images.append(model.generate(num_samples=40, generator=generator))
        assert torch.get_num_threads() == number
    assert torch.equal(images[0], images[1]) and torch.equal(images[0], images[2])
