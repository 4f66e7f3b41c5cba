import numpy as np
import pytest
import torch

from pixelcnn.data import load_data
from pixelcnn.data.sources.arrays.arrays import read_npz
from pixelcnn.errors import DataError

X = np.arange(4 * 12, dtype=np.uint8).reshape(4, 3, 4)
VECTORS = np.array([[0, 0.5], [1, 0.25], [0, -3], [1, 1]])
MAPS = (X[:, None] > 20).astype(np.uint8)


@pytest.fixture
def save(tmp_path):
    def write(**arrays):
        np.savez(tmp_path / "mine.npz", x_train=X, **arrays)
        return tmp_path / "mine.npz"

    return write


def test_attributes_and_maps_come_beside_labels(save):
    arrays = {"y": [0, 1, 1, 0], "attributes": VECTORS, "maps": MAPS}
    both = {f"{key}_{split}": a for key, a in arrays.items() for split in ("train", "test")}
    source = read_npz(save(**both, x_test=X, attribute_names=["on", "how much"]))
    for part in (source.train, source.test):
        labels, attributes, maps = part.conditions
        assert labels.tolist() == [0, 1, 1, 0]
        assert np.array_equal(attributes, VECTORS)
        assert np.array_equal(maps, MAPS)
        assert attributes.dtype == maps.dtype == torch.float32
    assert source.attribute_names == ("on", "how much")
    assert source.label_names == ("0", "1")


def test_attributes_without_names_are_numbered_and_reach_the_splits(save):
    data = load_data(f"npz:{save(attributes_train=VECTORS)}")
    assert data.attribute_names == data.names_of("attributes") == ("0", "1")
    assert data.names_of("labels") is data.names_of("maps") is data.names_of(None) is None
    assert data.train.conditions.attributes.shape == (2, 2)


@pytest.mark.parametrize(
    ("arrays", "word"),
    [
        ({"attributes_train": VECTORS[:3]}, r"4 images and attributes of shape \(3, 2\)"),
        ({"attributes_train": VECTORS[:, 0]}, r"`attributes_train` .* \(N, A\), got float64"),
        ({"attributes_train": VECTORS.astype(str)}, "must hold numbers"),
        ({"attributes_train": np.full((4, 2), np.inf)}, "finite"),
        ({"attributes_train": np.full((4, 2), 1e300)}, "8 that are not finite"),
        ({"attributes_test": VECTORS}, "`attributes_test` but no `attributes_train`"),
        ({"attribute_names": ["a", "b"]}, "`attribute_names` but no `attributes_train`"),
        ({"attributes_train": VECTORS, "x_val": X}, "it must hold `attributes_val` too"),
        (
            {"attributes_train": VECTORS, "attribute_names": ["on"]},
            "one name for each of the 2 attributes, all different, got 1: on",
        ),
        ({"attributes_train": VECTORS, "attribute_names": ["on", "on"]}, "all different"),
        (
            {"attributes_train": VECTORS, "x_val": X, "attributes_val": VECTORS[:, :1]},
            "one length A, got `attributes_train` 2, `attributes_val` 1",
        ),
        ({"maps_train": MAPS[:, 0]}, r"`maps_train` .* \(N, A, H, W\), got uint8"),
        ({"maps_train": MAPS[..., :3]}, "4 images of 3×4 and maps"),
    ],
)
def test_what_does_not_fit_is_named(save, arrays, word):
    with pytest.raises(DataError, match=word):
        read_npz(save(**arrays))
