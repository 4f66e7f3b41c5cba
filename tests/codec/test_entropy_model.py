"""The entropy model of any model walks in its own floats, and says where that can be repeated."""

import torch

from pixelcnn.codec import MachineBound, level_frequencies
from pixelcnn.models import PixelCNN
from pixelcnn.walk import walk


def test_the_machine_is_named():
    model = PixelCNN(num_classes=2, hidden_channels=4, num_layers=1)
    found = MachineBound(model).requirements
    assert torch.__version__ in found
    assert torch.backends.cpu.get_cpu_capability() in found
    assert found.isprintable()


def test_two_walks_give_the_same_frequencies():
    model = PixelCNN(num_classes=4, hidden_channels=4, num_layers=1)
    x = torch.randint(4, (3, 1, 5, 6))

    def tables() -> torch.Tensor:
        found = []

        def choose(logits, front):
            found.append(level_frequencies(logits))
            return front.of(x).flatten()

        filled = walk(MachineBound(model).stepper(), torch.zeros_like(x), choose)
        assert filled.equal(x)
        return torch.cat(found)

    assert tables().equal(tables())
