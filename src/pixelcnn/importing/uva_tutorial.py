"""The gated PixelCNN of the UvA deep learning course, tutorial 12."""

import torch
from torch import Tensor

from pixelcnn.importing.foreign import Foreign

DILATIONS = (1, 2, 1, 4, 1, 2, 1)
"""Of the seven gated layers, which the file does not tell."""


def from_uva_tutorial(foreign: Foreign) -> tuple[str, dict[str, object], dict[str, Tensor]]:
    """Converts its weights.

    The program has 3×3 windows, a linear first layer, and a head that reads the residual path:
    options of `GatedPixelCNN`. It masks weights in place before a pass, so a file may hold hidden
    ones that are not zero; the networks here cut them off.

    Raises:
        CheckpointError: If names or shapes are not those of the tutorial.
    """
    foreign.skip("mask")
    hidden = foreign.take("conv_out.weight", None, None, 1, 1).shape[1]
    count = foreign.count("conv_layers.{}.conv_vert.conv.weight")
    if count != len(DILATIONS):
        raise foreign.misfit(f"it has {count} gated layers, not {len(DILATIONS)}")
    weights: dict[str, Tensor] = {}

    def copy(theirs: str, ours: str, *shape: int) -> None:
        weights[f"{ours}.weight"] = foreign.take(f"{theirs}.weight", *shape)
        weights[f"{ours}.bias"] = foreign.take(f"{theirs}.bias", shape[0])

    copy("conv_vstack.conv", "above", hidden, 1, 3, 3)
    copy("conv_hstack.conv", "along", hidden, 1, 1, 3)
    copy("conv_out", "out", 256, hidden, 1, 1)
    for n in range(count):
        theirs, both = f"conv_layers.{n}", 2 * hidden
        copy(f"{theirs}.conv_vert.conv", f"vertical.{n}.conv", both, hidden, 3, 3)
        copy(f"{theirs}.conv_horiz.conv", f"horizontal.{n}.conv.conv", both, hidden, 1, 3)
        copy(f"{theirs}.conv_vert_to_horiz", f"links.{n}.product", both, both, 1, 1)
        copy(f"{theirs}.conv_horiz_1x1", f"horizontal.{n}.mix", hidden, hidden, 1, 1)
    _cut_off_hidden(weights)
    config: dict[str, object] = {
        "hidden_channels": hidden,
        "num_layers": 1 + count,
        "first_kernel_size": 3,
        "dilations": list(DILATIONS),
        "first_layer": "linear",
        "head": "path",
        "num_classes": 256,
    }
    return "gated", config, weights


def _cut_off_hidden(weights: dict[str, Tensor]) -> None:
    """Cuts the rows of windows below the own one, and sets columns that are hidden to zero."""
    shown = {"above": 1, "along": 1, "vertical": 2, "horizontal": 2}  # mask A, mask B
    for name, weight in weights.items():
        count = shown.get(name.split(".")[0])
        if count and weight.shape[2:] == (3, 3):
            weights[name] = weight[:, :, :count]
        elif count and weight.shape[2:] == (1, 3):
            weights[name] = weight * (torch.arange(3) < count)
