import pytest
import torch

from pixelcnn.data import TensorImageSet
from pixelcnn.data.splits import hold_out, subsample
from pixelcnn.errors import DataError


def numbered(count):
    return TensorImageSet(torch.arange(count)[:, None, None, None], levels=max(count, 2))


def numbers(image_set):
    return image_set.images.flatten().tolist()


def test_the_parts_are_disjoint_and_complete():
    rest, held = hold_out(numbered(50), 0.2)
    assert len(held) == 10
    assert sorted(numbers(rest) + numbers(held)) == list(range(50))


def test_the_split_does_not_depend_on_global_randomness():
    torch.manual_seed(1)
    first = numbers(hold_out(numbered(50), 0.2)[1])
    torch.manual_seed(2)
    assert numbers(hold_out(numbered(50), 0.2)[1]) == first


def test_the_split_is_the_same_in_every_version():
    # Another one would put images that a model has learned from among those that judge it.
    assert numbers(hold_out(numbered(50), 0.2)[1]) == [1, 14, 21, 22, 24, 26, 30, 32, 38, 48]


@pytest.mark.parametrize("fraction", [0.001, 0.999])
def test_no_part_is_ever_empty(fraction):
    rest, held = hold_out(numbered(3), fraction)
    assert min(len(rest), len(held)) == 1


def test_a_single_image_cannot_be_split():
    with pytest.raises(DataError, match="At least 2 images"):
        hold_out(numbered(1), 0.5)


def test_some_images_are_chosen_at_random_by_the_seed():
    first, again = (numbers(subsample(numbered(50), 5, seed=1)) for _ in range(2))
    assert first == again == sorted(set(first))
    assert len(first) == 5
    assert numbers(subsample(numbered(50), 5, seed=2)) != first


@pytest.mark.parametrize("limit", [None, 50, 51])
def test_a_limit_that_is_not_reached_changes_nothing(limit):
    assert numbers(subsample(numbered(50), limit, seed=0)) == list(range(50))
