"""A folder of .npz files is one data set."""

import numpy as np
import pytest

from pixelcnn.data.sources.arrays.arrays import read_npz
from pixelcnn.errors import DataError

X = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
FIRST = {"x_train": X, "y_train": np.array([0, 1]), "levels": np.array(40), "notes": np.array("a")}


def read(tmp_path, *parts):
    # The last is written first: names decide the order, not times.
    for number, arrays in reversed(list(enumerate(parts))):
        np.savez(tmp_path / f"part-{number}.npz", **arrays)
    return read_npz(tmp_path)


def test_images_and_labels_come_one_after_another_in_the_order_of_names(tmp_path):
    second = {**FIRST, "x_train": X + 20, "y_train": np.array([2, 2]), "notes": np.array("b")}
    found = read(tmp_path, FIRST, second)
    assert np.array_equal(found.train.images[:, 0], np.concatenate([X, X + 20]))
    assert found.train.labels.tolist() == [0, 1, 2, 2]
    assert found.label_names == ("0", "1", "2")
    assert found.train.spec.levels == 40


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"levels": np.array(50)}, "`levels` of .*part-1.npz must equal that of .*part-0.npz"),
        ({"x_train": np.zeros((2, 3, 4), np.uint8)}, "`x_train` must have images of one shape"),
        ({"x_val": X}, "part-1.npz must hold the same arrays"),
    ],
)
def test_parts_that_do_not_fit_are_named(tmp_path, change, told):
    with pytest.raises(DataError, match=told):
        read(tmp_path, FIRST, {**FIRST, **change})


def test_a_folder_without_such_files_is_named(tmp_path):
    (tmp_path / ".part-0-0123456789ab.npz").touch()  # not whole yet
    with pytest.raises(DataError, match=r"There is no \.npz file in"):
        read_npz(tmp_path)
