"""Facts about the order of training batches."""

import torch

from pixelcnn.data import TensorImageSet
from pixelcnn.training.loaders import EpochLoader, noise_seed


def numbered(count: int = 10) -> TensorImageSet:
    """Images whose one pixel is their number."""
    return TensorImageSet(torch.arange(count).reshape(-1, 1, 1, 1), levels=count)


def order(loader: EpochLoader) -> list[list[int]]:
    return [batch.x.flatten().tolist() for batch in loader]


def test_an_epoch_shows_every_image_once():
    batches = order(EpochLoader(numbered(), 4, seed=0))
    assert [len(batch) for batch in batches] == [4, 4, 2]
    assert sorted(number for batch in batches for number in batch) == list(range(10))


def test_the_order_depends_on_seed_and_epoch_alone():
    one, other = EpochLoader(numbered(), 4, seed=3), EpochLoader(numbered(), 4, seed=3)
    order(one)
    one.epoch = other.epoch = 5
    assert order(one) == order(other)
    other.epoch = 6
    assert order(one) != order(other)
    assert order(one) != order(EpochLoader(numbered(), 4, seed=4))


def test_a_position_leaves_out_the_batches_before_it():
    loader = EpochLoader(numbered(), 4, seed=0)
    whole = order(loader)
    loader.position = 2
    assert order(loader) == whole[2:]
    assert len(loader) == 3


def test_processes_that_train_together_have_different_noise():
    assert len({noise_seed(0, 0, 0, rank) for rank in range(4)}) == 4
