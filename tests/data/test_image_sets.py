import pytest
import torch

from pixelcnn.data import TensorImageSet
from pixelcnn.data.image_sets import CHUNK
from pixelcnn.errors import DataError, ShapeError
from pixelcnn.spec import ImageSpec


def images(count=6, levels=4, size=3):
    return torch.arange(count * size * size).reshape(count, 1, size, size) % levels


def test_levels_are_stored_in_a_byte_where_they_fit():
    assert TensorImageSet(images(), levels=256).images.dtype == torch.uint8
    assert TensorImageSet(images(), levels=257).images.dtype == torch.int32


def test_taking_keeps_images_and_labels_together():
    part = TensorImageSet(images(), torch.arange(6), levels=4).take(torch.tensor([4, 1]))
    assert part.labels.tolist() == [4, 1]
    assert torch.equal(part.images.long(), images()[[4, 1]])


def test_every_chunk_is_transformed():
    count = CHUNK + 1
    held = TensorImageSet(torch.zeros(count, 1, 1, 1, dtype=torch.uint8), levels=2)
    done = held.apply(lambda x: x.long() + 1, ImageSpec(1, 1, 1, 2))
    assert done.images.sum() == count


def test_a_dynamically_binarized_set_keeps_its_grey_images_and_yields_binary_ones():
    held = TensorImageSet(images(), levels=4).dynamically_binarized()
    assert held.is_dynamic
    assert (held.spec.levels, held.stored_levels) == (2, 4)
    assert torch.equal(held.images.long(), images())
    assert held.take(torch.tensor([0])).is_dynamic


@pytest.mark.parametrize("wrong", [torch.zeros(2, 1, 3, 3), images() + 1, images() - 1])
def test_values_that_are_no_levels_are_refused(wrong):
    with pytest.raises(ShapeError, match=r"integer levels in \[0, 4\)"):
        TensorImageSet(wrong, levels=4)


def test_one_label_per_image_is_demanded():
    with pytest.raises(DataError, match="6 images and labels of shape"):
        TensorImageSet(images(), torch.arange(5), levels=4)


def test_an_empty_set_is_refused():
    with pytest.raises(DataError, match="at least one pixel"):
        TensorImageSet(images()[:0], levels=4)


def test_moving_keeps_everything():
    moved = TensorImageSet(images(), torch.arange(6), levels=4).dynamically_binarized().to("cpu")
    assert moved.is_dynamic
    assert moved.labels.tolist() == list(range(6))
