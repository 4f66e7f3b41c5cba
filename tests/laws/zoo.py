"""The models that every law is tried on: each architecture × head × grey and RGB, and variants."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
import torch
from torch import Tensor

from pixelcnn.likelihoods import LIKELIHOODS
from pixelcnn.models import MODELS, AutoregressiveModel, build

# What makes an architecture small, and options of its own to try. One that is not named here is
# tried with its width alone.
VARIANTS: dict[str, list[dict[str, Any]]] = {
    "pixelcnn": [
        {"num_residual_blocks": 1},
        {"num_residual_blocks": 2, "num_layers": 1, "dilations": [2, 1], "norm": "channel"},
        {"num_residual_blocks": 1, "norm": "batch", "dropout": 0.5, "num_labels": 3},
        {"num_residual_blocks": 1, "num_attributes": 2},
        {"num_residual_blocks": 1, "num_map_channels": 2},
        {"num_residual_blocks": 2, "attention_every": 1, "num_heads": 3, "num_labels": 3},
        {"num_residual_blocks": 1, "level_embedding_dim": 2},
    ],
    "gated": [
        {"num_layers": 2},
        {"num_layers": 3, "dilations": [2, 1], "norm": "channel"},
        {
            "num_layers": 2,
            "kernel_size": 5,
            "first_kernel_size": 3,
            "norm": "batch",
            "dropout": 0.5,
            "num_labels": 3,
        },
        {"num_layers": 1, "num_attributes": 2},
        {"num_layers": 2, "num_map_channels": 2},
        {"num_layers": 2, "attention_every": 1, "num_heads": 3, "num_labels": 3},
        {"num_layers": 2, "attention_every": 1, "num_heads": 2, "level_embedding_dim": 2},
        {
            "num_layers": 3,
            "first_kernel_size": 3,
            "first_layer": "linear",
            "head": "path",
            "dilations": [2, 1],
            "num_labels": 3,
        },
    ],
    "pixelcnnpp": [
        {"hidden_channels": 6, "num_resnets": 1, "num_resolutions": 2, "num_map_channels": 2},
        {
            "hidden_channels": 6,
            "num_resnets": 1,
            "num_resolutions": 1,
            "dropout": 0.5,
            "num_labels": 3,
            "level_embedding_dim": 2,
        },
    ],
    "row_lstm": [
        {"num_layers": 2, "num_labels": 3, "label_dropout": 0.5},
        {"num_layers": 1, "num_map_channels": 2, "level_embedding_dim": 2},
    ],
    "pixelsnail": [
        {"hidden_channels": 12, "num_blocks": 1, "num_resnets": 1, "key_width": 3},
        {
            "hidden_channels": 9,
            "num_blocks": 2,
            "num_resnets": 1,
            "key_width": 2,
            "num_heads": 2,
            "dropout": 0.5,
            "num_labels": 3,
            "label_dropout": 0.5,
            "level_embedding_dim": 2,
        },
    ],
}
HEADS = {"bernoulli": 2, "categorical": 3}


def is_quick(i: int, head: str, channels: int) -> bool:
    """Whether a law tries variant i with this head by default; it tries all of them with -m slow.

    The first variant has every head. Of the others there is one for each way in which a network
    treats channels: grey, RGB in colour groups (both heads in turn), and RGB that the head couples.
    """
    if i == 0 or head == "logistic_mixture":
        return i == 0 or channels == 3
    return head == ("bernoulli", "categorical")[(i + (channels == 3)) % 2]


def cases() -> list[Any]:
    """(architecture, options) for every law."""
    found = []
    for name in MODELS:
        for i, variant in enumerate(VARIANTS.get(name, [{}])):
            for head in LIKELIHOODS:
                for channels in (1, 3):
                    options = {
                        "likelihood": head,
                        "num_classes": HEADS.get(head, 3),
                        "in_channels": channels,
                        "hidden_channels": 24,
                        **variant,
                    }
                    colour = "grey" if channels == 1 else "rgb"
                    marks = () if is_quick(i, head, channels) else pytest.mark.slow
                    id = f"{name}{i}-{head}-{colour}"
                    found.append(pytest.param((name, options), id=id, marks=marks))
    return found


def slow_but(quick: Callable[[Any], bool], found: Iterable[Any]) -> list[Any]:
    """Cases of which only those that `quick` is true of are tried by default."""
    return [
        pytest.param(*case.values, id=case.id, marks=() if quick(case) else pytest.mark.slow)
        for case in found
    ]


def make(name: str, options: dict[str, Any]) -> AutoregressiveModel:
    """A model in double precision, in whose weights and statistics no zero hides a leak."""
    generator = torch.Generator().manual_seed(1)
    model = build(name, **options).double().eval()
    for key, tensor in model.state_dict().items():
        if key.endswith("running_var"):
            tensor.uniform_(0.5, 2, generator=generator)
        elif tensor.count_nonzero() < tensor.numel() or "running_mean" in key:
            tensor.add_(0.5 * torch.randn(tensor.shape, generator=generator, dtype=tensor.dtype))
    return model


def condition_for(model: AutoregressiveModel, count: int, size: tuple[int, int]) -> Tensor | None:
    """A condition of the kind that the model takes, different from image to image."""
    generator = torch.Generator().manual_seed(2)
    condition = model.condition
    if condition.num_labels is not None:
        return torch.arange(count) % condition.num_labels
    if condition.num_attributes is not None:
        return torch.randn(count, condition.num_attributes, generator=generator).double()
    if condition.num_map_channels is not None:
        shape = (count, condition.num_map_channels, *size)
        return torch.randn(shape, generator=generator).double()
    return None


def images_for(model: AutoregressiveModel, count: int, size: tuple[int, int]) -> Tensor:
    """Random levels. (count, C, H, W)."""
    generator = torch.Generator().manual_seed(3)
    shape = (count, model.in_channels, *size)
    return torch.randint(model.num_classes, shape, generator=generator)
