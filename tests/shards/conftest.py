"""A model to sample from, and a complete folder of shards."""

from pathlib import Path

import pytest
import torch

from pixelcnn.models import PixelCNN
from pixelcnn.shards import sample_shards
from tests.shards.folders import SIZES


@pytest.fixture
def model() -> PixelCNN:
    """In float32, as people sample."""
    made = PixelCNN(hidden_channels=8, num_residual_blocks=1, num_classes=4, num_labels=5)
    made.image_size = (6, 5)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return made


@pytest.fixture
def whole(model, tmp_path) -> Path:
    """A folder that nothing disturbed."""
    assert sample_shards(model, tmp_path / "whole", cond=torch.arange(5), **SIZES)
    return tmp_path / "whole"
