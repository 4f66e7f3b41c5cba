"""Tiny models for the tests of the codec."""

import torch

from pixelcnn.models import AutoregressiveModel, build

SMALL = {
    "pixelcnn": {"hidden_channels": 4, "num_layers": 1},
    "gated": {"hidden_channels": 4, "num_layers": 1},
    "pixelcnnpp": {"hidden_channels": 4, "num_resnets": 1, "num_resolutions": 2},
}


def small(name: str = "pixelcnn", *, seed: int = 0, **settings: object) -> AutoregressiveModel:
    """A model of random weights."""
    torch.manual_seed(seed)
    return build(name, **{**SMALL[name], **settings}).eval()


def constant(**settings: object) -> AutoregressiveModel:
    """A model whose logits are exactly zero on every machine."""
    model = small(**settings)
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
    return model


def levels(model: AutoregressiveModel, *size: int, seed: int = 1) -> torch.Tensor:
    """Random images of a model. (N, C, H, W)."""
    generator = torch.Generator().manual_seed(seed)
    count, height, width = size
    shape = (count, model.in_channels, height, width)
    return torch.randint(model.num_classes, shape, generator=generator)
