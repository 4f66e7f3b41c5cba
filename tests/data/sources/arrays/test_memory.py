import numpy as np
import pytest
import torch

from pixelcnn.data import load_data
from pixelcnn.errors import ConfigError, DataError

IMAGES = np.arange(256, dtype=np.uint8).reshape(4, 8, 8).repeat(5, 0)
LABELS = np.arange(20) % 2


@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor])
def test_arrays_and_tensors_are_images_and_labels(kind):
    data = load_data({"x": kind(IMAGES), "y": kind(LABELS)})
    assert data.protocol == "memory, 256 levels, 16/2/2 (validation and test from training)"
    parts = (data.train, data.val, data.test)
    found = torch.cat([part.images[:, 0].flatten(1) for part in parts]).numpy()
    assert sorted(map(bytes, found)) == sorted(map(bytes, IMAGES.reshape(20, -1)))
    assert data.label_names == ("0", "1") and sum(int(part.labels.sum()) for part in parts) == 10


def test_options_hold_for_arrays_as_for_files():
    twelve = IMAGES.astype(np.uint16) * 16
    with pytest.raises(DataError, match="the given arrays uses 12 bits"):
        load_data({"x": twelve})
    assert load_data({"x": twelve}, bits=12, levels=16).spec.levels == 16
    with pytest.raises(ConfigError, match="`skip_broken_files` is for"):
        load_data({"x": IMAGES}, skip_broken_files=True)
    with pytest.raises(DataError, match=r"must hold `x_train` .* got `images`"):
        load_data({"images": IMAGES})


def test_a_run_on_arrays_cannot_read_them_again():
    with pytest.raises(ConfigError, match=r"were arrays in memory\. Name others"):
        load_data("memory")
