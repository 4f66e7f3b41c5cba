"""Long work pauses after its steps, and what is called then may end it."""

import pytest
import torch

from pixelcnn.inference import complete, known_mask
from pixelcnn.inference.mcmc.gibbs import GibbsChains
from pixelcnn.models import PixelCNN
from pixelcnn.pauses import at_each_pause

MODEL = PixelCNN(num_classes=2, num_residual_blocks=1, hidden_channels=4, image_size=4)


def test_a_walk_pauses_after_each_row_and_a_chain_after_each_step():
    pauses = []
    with at_each_pause(lambda: pauses.append(1)):
        x = MODEL.generate(num_samples=2)
        assert len(pauses) == 3, "the last row ends the walk"
        pauses.clear()
        chains = GibbsChains(MODEL, x, torch.zeros(4, 4, dtype=torch.bool))
        pauses.clear()
        steps = len(list(chains.sweep()))
    assert len(pauses) == steps > 1


@pytest.mark.parametrize("method", ["raster", "smc", "gibbs"])
def test_work_ends_at_a_pause_that_raises(method):
    def leave():
        raise KeyError

    known = known_mask("bottom" if method == "raster" else "top", (1, 4, 4))
    with at_each_pause(leave), pytest.raises(KeyError):
        complete(MODEL, torch.zeros(1, 4, 4).long(), known, method=method)
    assert MODEL.training, "the mode is restored"
