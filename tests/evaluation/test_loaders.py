"""Facts about what may be evaluated: every image once, as it is."""

import pytest
import torch
from torch.utils.data import DataLoader, RandomSampler, SubsetRandomSampler, TensorDataset

from pixelcnn.data import TensorImageSet, batches
from pixelcnn.errors import ConfigError, DataError, ShapeError
from pixelcnn.evaluation.loaders import image_set_of
from pixelcnn.models import PixelCNN

SMALL = {"num_classes": 4, "hidden_channels": 4, "num_residual_blocks": 1}


@pytest.fixture
def images():
    return TensorImageSet(torch.randint(4, (7, 1, 3, 5)), torch.arange(7) % 3, levels=4)


def test_a_set_and_batches_of_it_are_the_set(images):
    model = PixelCNN(**SMALL)
    assert image_set_of(images, model) is images
    assert image_set_of(batches(images, 3, shuffle=True), model) is images


def test_a_loader_of_pytorch_gives_its_images_and_labels(images):
    model = PixelCNN(**SMALL, num_labels=3)
    pairs = TensorDataset(images.images.long(), images.labels)
    found = image_set_of(DataLoader(pairs, batch_size=3), model)
    assert isinstance(found, TensorImageSet)
    assert torch.equal(found.images, images.images)
    assert torch.equal(found.labels, images.labels)
    assert found.spec == images.spec
    bare = image_set_of(DataLoader(images.images.long(), batch_size=2), PixelCNN(**SMALL))
    assert torch.equal(bare.images, images.images)
    assert bare.labels is None


def test_the_second_of_a_pair_is_what_the_model_is_conditioned_on(images):
    model = PixelCNN(**SMALL, num_attributes=2)
    attributes = torch.rand(7, 2)
    pairs = TensorDataset(images.images.long(), attributes)
    found = image_set_of(DataLoader(pairs, batch_size=3), model)
    assert torch.equal(found.conditions.attributes, attributes)


def test_batches_that_leave_images_out_or_change_them_are_refused(images):
    for option in ("drop_last", "augment"):
        with pytest.raises(ConfigError, match="judged once and as it is"):
            image_set_of(batches(images, 3, **{option: True}), PixelCNN(**SMALL))


def test_a_loader_of_pytorch_must_yield_every_image_once(images):
    model, x = PixelCNN(**SMALL), images.images.long()
    with pytest.raises(ConfigError, match=r"yields 6 of 7\. Make it with `drop_last=False`"):
        image_set_of(DataLoader(x, batch_size=3, drop_last=True), model)
    repeated = RandomSampler(x, replacement=True)
    with pytest.raises(ConfigError, match="with replacement"):
        image_set_of(DataLoader(x, batch_size=3, sampler=repeated), model)
    some = DataLoader(x, batch_size=2, sampler=SubsetRandomSampler([0, 4, 5]))
    assert len(image_set_of(some, model)) == 3
    own = DataLoader(x, batch_sampler=[[0, 1], [6]])
    assert torch.equal(image_set_of(own, model).images.long(), x[[0, 1, 6]])
    assert len(image_set_of(DataLoader(x, shuffle=True, batch_size=7, drop_last=True), model)) == 7


@pytest.mark.parametrize(
    ("loader", "error", "message"),
    [
        ([], DataError, "no images"),
        ([torch.rand(2, 1, 3, 3)], ShapeError, "integer levels"),
        ([torch.full((2, 1, 3, 3), 4)], ShapeError, r"levels in \[0, 4\)"),
        ([torch.zeros(2, 1, 3, 3).long(), torch.zeros(2, 1, 3, 4).long()], ShapeError, "one shape"),
        ([{"x": 1}], DataError, "got dict"),
        ([[torch.zeros(2, 1, 3, 3).long(), "a"]], DataError, "pairs of them and labels"),
        (
            [torch.zeros(2, 1, 3, 3).long(), [torch.zeros(2, 1, 3, 3).long(), torch.zeros(2)]],
            DataError,
            "or none",
        ),
    ],
)
def test_what_is_no_loader_of_the_model_is_refused(loader, error, message):
    with pytest.raises(error, match=message):
        image_set_of(loader, PixelCNN(**SMALL))
