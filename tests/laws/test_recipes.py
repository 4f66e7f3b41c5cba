"""Every recipe in configs/ builds a model for images like those of its data set, and learns."""

import numpy as np
import pytest
import torch

from pixelcnn.config import load_config, preset_names
from pixelcnn.data import load_data
from pixelcnn.training.build import build_model

# (height, width, channels), levels, labels of the sets as they are stored.
STORED = {
    "digits": ((8, 8, 1), 17, 10),
    "mnist": ((28, 28, 1), 256, 10),
    "fashion_mnist": ((28, 28, 1), 256, 10),
    "binarized_mnist": ((28, 28, 1), 2, 0),
    "cifar10": ((32, 32, 3), 256, 10),
    "celeba": ((148, 148, 3), 256, 0),
    "npz": ((8, 8, 1), 512, 10),  # codes
}
ATTRIBUTES = {"celeba": 40}


def images_like(name, path):
    """Random images of the shape and levels of a data set, as a file."""
    shape, levels, num_labels = STORED[name]
    generator = np.random.default_rng(0)
    dtype = np.min_scalar_type(levels - 1)
    arrays = {"levels": np.array(levels), "layout": np.array("NHWC")}
    for split in ("train", "val", "test"):
        arrays[f"x_{split}"] = generator.integers(levels, size=(20, *shape)).astype(dtype)
        if num_labels:
            arrays[f"y_{split}"] = np.arange(20) % num_labels
        if name in ATTRIBUTES:
            arrays[f"attributes_{split}"] = generator.integers(2, size=(20, ATTRIBUTES[name]))
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("name", preset_names())
def test_a_recipe_builds_and_learns(name, tmp_path):
    config = load_config(preset=name)
    settings = config.data
    path = images_like(settings.dataset_name, tmp_path / "images.npz")
    data = load_data(
        "npz",
        data_root=path,
        levels=settings.levels,
        binarization=settings.binarization,
        image_size=settings.image_size,
    )
    model = build_model(config.model, data)
    assert model.spec == data.spec
    x = data.val.images[:1, :, :8, :8].long()
    cond = data.val.conditions.first(1).of(model.condition.kind)
    loss = -model.log_prob(x, cond).sum()
    loss.backward()
    assert loss.isfinite()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    assert torch.equal(model.eval().log_prob(x, cond), model.log_prob(x, cond))
