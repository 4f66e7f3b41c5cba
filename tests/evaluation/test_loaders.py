"""Every image of a loader is evaluated once and unchanged."""

import pytest
import torch
from torch.utils.data import DataLoader, RandomSampler, SubsetRandomSampler, TensorDataset

from pixelcnn.data import TensorImageSet, batches
from pixelcnn.errors import ConfigError, DataError, ShapeError
from pixelcnn.evaluation.loaders import read_loader
from pixelcnn.models import PixelCNN

SMALL = {"num_classes": 4, "hidden_channels": 4, "num_residual_blocks": 1}


@pytest.fixture
def images():
    return TensorImageSet(torch.randint(4, (7, 1, 3, 5)), torch.arange(7) % 3, levels=4)


def test_a_set_and_batches_of_it_are_the_set(images):
    model = PixelCNN(**SMALL)
    assert read_loader(images, model) == (images, None)
    assert read_loader(batches(images, 3, shuffle=True), model).image_set is images


def test_a_loader_of_pytorch_gives_its_images_and_labels(images):
    model = PixelCNN(**SMALL, num_labels=3)
    pairs = TensorDataset(images.images.long(), images.labels)
    found = read_loader(DataLoader(pairs, batch_size=3), model).image_set
    assert isinstance(found, TensorImageSet)
    assert torch.equal(found.images, images.images)
    assert torch.equal(found.labels, images.labels)
    assert found.spec == images.spec
    bare, assumed = read_loader(DataLoader(images.images.long(), batch_size=2), PixelCNN(**SMALL))
    assert assumed is None
    assert torch.equal(bare.images, images.images)
    assert bare.labels is None


def test_the_second_of_a_pair_is_what_the_model_is_conditioned_on(images):
    model = PixelCNN(**SMALL, num_attributes=2)
    attributes = torch.rand(7, 2)
    pairs = TensorDataset(images.images.long(), attributes)
    found = read_loader(DataLoader(pairs, batch_size=3), model).image_set
    assert torch.equal(found.conditions.attributes, attributes)


def test_batches_that_leave_images_out_or_change_them_are_refused(images):
    for option in ("drop_last", "augment"):
        with pytest.raises(ConfigError, match="evaluated once and unchanged"):
            read_loader(batches(images, 3, **{option: True}), PixelCNN(**SMALL))


def test_a_loader_of_pytorch_must_yield_every_image_once(images):
    model, x = PixelCNN(**SMALL), images.images.long()
    with pytest.raises(ConfigError, match=r"yields 6 of 7\. Make it with `drop_last=False`"):
        read_loader(DataLoader(x, batch_size=3, drop_last=True), model)
    repeated = RandomSampler(x, replacement=True)
    with pytest.raises(ConfigError, match="with replacement"):
        read_loader(DataLoader(x, batch_size=3, sampler=repeated), model)
    some = DataLoader(x, batch_size=2, sampler=SubsetRandomSampler([0, 4, 5]))
    assert len(read_loader(some, model).image_set) == 3
    own = DataLoader(x, batch_sampler=[[0, 1], [6]])
    assert torch.equal(read_loader(own, model).image_set.images.long(), x[[0, 1, 6]])
    whole = DataLoader(x, shuffle=True, batch_size=7, drop_last=True)
    assert len(read_loader(whole, model).image_set) == 7


@pytest.mark.parametrize(
    ("loader", "error", "message"),
    [
        ([], DataError, "must yield images, got none"),
        ([torch.full((2, 1, 3, 3), 0.4)], ShapeError, "4 levels of the model on the even steps"),
        ([torch.full((2, 1, 3, 3), 4)], ShapeError, r"levels in \[0, 4\)"),
        ([torch.zeros(2, 1, 3, 3).long(), torch.zeros(2, 1, 3, 4).long()], ShapeError, "one shape"),
        ([{"x": 1}], DataError, "got dict"),
        ([[torch.zeros(2, 1, 3, 3).long(), "a"]], DataError, "pairs of images and labels"),
        (
            [torch.zeros(2, 1, 3, 3).long(), [torch.zeros(2, 1, 3, 3).long(), torch.zeros(2)]],
            DataError,
            "labels or none",
        ),
    ],
)
def test_loaders_that_do_not_fit_the_model_are_refused(loader, error, message):
    with pytest.raises(error, match=message):
        read_loader(loader, PixelCNN(**SMALL))


def test_to_tensor_and_normalised_images_are_read_as_the_levels_that_they_stand_for(images):
    model, x = PixelCNN(**SMALL), images.images.long()
    for floats, name in ((x / 3, "[0, 1]"), (x / 1.5 - 1, "[-1, 1]")):
        found, assumed = read_loader(DataLoader(floats, batch_size=2), model)
        assert torch.equal(found.images, images.images)
        assert assumed == f"floats in {name} read as 4 levels"


def test_the_range_of_floats_is_that_of_the_whole_loader(images):
    white = torch.ones(2, 1, 3, 5)  # the brightest level in both ranges
    for others, level in ((torch.full_like(white, 2 / 3), 2), (torch.full_like(white, -1.0), 0)):
        found = read_loader([white, others], PixelCNN(**SMALL)).image_set.images
        assert found.flatten(1)[:, 0].tolist() == [3, 3, level, level]
    with pytest.raises(ShapeError, match=r"of both\. Yield integer levels.*quantise\(x, 4\)"):
        read_loader([white], PixelCNN(**SMALL))
    with pytest.raises(ShapeError, match=r"even steps of \[-1, 1\], got"):
        read_loader([-white, white / 3, white / 5], PixelCNN(**SMALL))


@pytest.mark.parametrize("bad", [float("nan"), 255.0, -1.5, 0.5])
def test_floats_that_are_not_levels_are_refused_with_the_ways_out(bad):
    model = PixelCNN(num_classes=2, hidden_channels=4, num_residual_blocks=1)
    ways = r"quantise\(x, 2\).*\(x \+ 1\) / 2.*x / 255.*\(x > 0\.5\)\.long\(\)"
    with pytest.raises(ShapeError, match=ways):
        read_loader([torch.full((2, 1, 3, 3), bad)], model)
