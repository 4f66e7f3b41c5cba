"""Models of images so small that everything about them can be enumerated."""

import itertools
from typing import Any

import torch
from torch import Tensor

from pixelcnn.inference.exact import enumerate_images
from pixelcnn.inference.query import make_query
from pixelcnn.models import AutoregressiveModel, build

# Architecture, options and (C, H, W), for several heads, kinds of walk and sizes of the space.
TINY: dict[str, tuple[str, dict[str, Any], tuple[int, int, int]]] = {
    "binary": ("pixelcnn", {"num_residual_blocks": 1}, (1, 3, 3)),
    "levels": ("gated", {"num_layers": 2, "num_classes": 3}, (1, 2, 3)),
    "rgb": ("pixelcnn", {"num_residual_blocks": 1, "in_channels": 3}, (3, 2, 2)),
    "attention": ("gated", {"num_layers": 2, "attention_every": 1, "num_heads": 2}, (1, 3, 3)),
    "mixture": (
        "pixelcnnpp",
        {
            "num_resnets": 1,
            "num_resolutions": 2,
            "in_channels": 3,
            "num_classes": 2,
            "likelihood": "logistic_mixture",
            "num_mixtures": 2,
        },
        (3, 2, 2),
    ),
    "snail": ("pixelsnail", {"num_blocks": 1, "num_resnets": 1, "key_width": 3}, (1, 3, 3)),
}
SPREAD = {"mixture": 1.2, "snail": 0.9}


def tiny_model(name: str) -> AutoregressiveModel:
    """A model whose weights are so large that its images are far from equally likely."""
    architecture, options, (_, height, width) = TINY[name]
    model = build(
        architecture,
        **{"num_classes": 2, "hidden_channels": 12, "image_size": (height, width), **options},
    )
    generator = torch.Generator().manual_seed(sum(map(ord, name)))
    for parameter in model.double().eval().parameters():
        with torch.no_grad():
            parameter.normal_(0, SPREAD.get(name, 0.6), generator=generator)
    return model


def random_query(
    model: AutoregressiveModel, seed: int, *, share: float = 0.5
) -> tuple[Tensor, Tensor]:
    """An image, drawn from the model, and a random mask of what is known. Both (C, H, W)."""
    generator = torch.Generator().manual_seed(seed)
    x = model.generate(num_samples=1, generator=generator)[0]
    return x, torch.rand(x.shape, generator=generator) < share


def every_state(model: AutoregressiveModel, given: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """All images that agree with what is known, and the exact posterior. (N, C, H, W), (N,)."""
    images, log_prob = map(
        torch.cat, zip(*enumerate_images(make_query(model, given, known)), strict=True)
    )
    return images, log_prob.softmax(0)


def exact_levels(
    model: AutoregressiveModel, site: tuple[int, int, int], given: Tensor, known: Tensor
) -> Tensor:
    """p(level | known) by brute force over all images, written out again. (K,)."""
    levels, num_dims = model.num_classes, given.numel()
    found = torch.tensor(list(itertools.product(range(levels), repeat=num_dims)))
    images = found.view(-1, *given.shape)
    agree = (images == given)[:, known].all(1)
    mass = model.log_prob(images).exp() * agree
    at = images[(slice(None), *site)]
    shares = torch.stack([mass[at == level].sum() for level in range(levels)])
    return (shares / shares.sum()).detach()
