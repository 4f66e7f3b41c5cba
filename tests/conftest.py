"""What every test stands on."""

import pytest
import torch

# Tests are tiny: threads would spend their time waiting for each other.
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _fixed_seed():
    """Global randomness, such as the initial weights of a model, is the same in every run."""
    torch.manual_seed(0)
