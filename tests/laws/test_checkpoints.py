"""A model that was saved and loaded is the same model."""

import torch

from pixelcnn import checkpoint
from tests.laws.zoo import condition_for, images_for


def test_save_and_load_give_the_same_numbers(model, tmp_path):
    path = tmp_path / "model.safetensors"
    checkpoint.save(model, path)
    loaded = checkpoint.read_model(path)
    x, cond = images_for(model, 3, (4, 9)), condition_for(model, 3, (4, 9))
    assert type(loaded) is type(model)
    assert not loaded.training
    expected = model.float().log_prob(x, cond)
    assert torch.equal(loaded.log_prob(x, cond), expected)
