from pathlib import Path

import pytest
import torch

from pixelcnn.data import Conditions, FileImageSet, TensorImageSet, batches
from pixelcnn.data.files.packed_paths import PackedPaths
from pixelcnn.data.streaming import Files
from pixelcnn.errors import DataError
from pixelcnn.spec import ImageSpec

X = torch.arange(6 * 12).reshape(6, 1, 3, 4) % 5
ATTRIBUTES = torch.arange(12.0).reshape(6, 2)


def held(**conditions):
    return TensorImageSet(X, levels=5, **conditions)


def streamed(**conditions):
    """The same images, each decoded from the number that its path is."""
    files = PackedPaths.of(Path(), map(str, range(6)))
    store = Files(files, lambda path: X[int(path.name)])
    return FileImageSet(store, spec=ImageSpec(1, 3, 4, 5), **conditions)


@pytest.mark.parametrize("make", [held, streamed])
def test_conditions_stay_with_their_images(make):
    images = make(labels=torch.arange(6), attributes=ATTRIBUTES, maps=X)
    assert images.conditions.kinds == ["labels", "attributes", "maps"]
    part = images.take(torch.tensor([4, 1, 2])).to("cpu")
    for batch in batches(part, 2, shuffle=True):
        assert torch.equal(batch.x, X[batch.labels])
        assert torch.equal(batch.conditions.of("attributes"), ATTRIBUTES[batch.labels])
        assert torch.equal(batch.conditions.of("maps"), X[batch.labels].float())
        assert batch.conditions.of(None) is None


@pytest.mark.parametrize("make", [held, streamed])
def test_maps_are_mirrored_with_their_images(make):
    (batch,) = batches(make(labels=torch.arange(6), maps=X), 6, augment=True)
    assert torch.equal(batch.x, batch.conditions.maps.long())
    assert (batch.x != X).any()
    assert (batch.x == X).flatten(1).all(1).any()


@pytest.mark.parametrize("make", [held, streamed])
def test_maps_are_scaled_and_cropped_with_their_images(make):
    maps = torch.zeros(6, 1, 3, 4)
    maps[..., 2:] = 1  # the right half
    wide = make(maps=maps).apply(lambda x: x[..., :2, :2], ImageSpec(1, 2, 2, 5))
    assert wide.conditions.maps.shape == (6, 1, 2, 2)
    left, right = wide.conditions.maps.mean((0, 1, 2))
    assert 0 <= left < 0.25 < right <= 1


def test_the_first_are_repeated_where_there_are_fewer():
    known = Conditions(torch.tensor([7, 8]))
    assert known.first(5).labels.tolist() == [7, 8, 7, 8, 7]
    assert Conditions().first(5) == Conditions()


@pytest.mark.parametrize("make", [held, streamed])
@pytest.mark.parametrize(
    ("conditions", "word"),
    [
        ({"labels": torch.arange(5)}, "6 images and labels of shape"),
        ({"attributes": torch.zeros(5, 2)}, r"6 images and attributes of shape \(5, 2\)"),
        ({"attributes": torch.zeros(6)}, r"\(N, A\)"),
        ({"attributes": torch.full((6, 2), float("nan"))}, "12 that are not finite"),
        ({"attributes": torch.zeros(6, 0)}, "at least one per image"),
        ({"maps": torch.zeros(6, 1, 4, 3)}, r"6 images of 3×4 and maps of shape \(6, 1, 4, 3\)"),
        ({"maps": torch.zeros(6, 3, 4)}, r"\(N, A, H, W\)"),
    ],
)
def test_conditions_that_do_not_fit_the_images_are_refused(make, conditions, word):
    with pytest.raises(DataError, match=word):
        make(**conditions)
