"""What every test stands on."""

import os
from pathlib import Path

import pytest
import torch

import examples.row_lstm  # noqa: F401  # registers one more model, on which all laws are tried

# Tests are tiny: threads would spend their time waiting for each other.
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _fixed_seed():
    """Global randomness, such as the initial weights of a model, is the same in every run."""
    torch.manual_seed(0)


@pytest.fixture
def real_data() -> Path:
    """The folder of real images; a test that needs them is skipped where it is not named."""
    folder = os.environ.get("PIXELCNN_DATA")
    if not (folder and Path(folder).is_dir()):
        pytest.skip("needs the real images: set PIXELCNN_DATA to their folder")
    return Path(folder)
