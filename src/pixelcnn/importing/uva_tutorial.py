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
    weights = {
        # Of a mask A and a mask B the rows above, and above down to the own one.
        "above.weight": foreign.take("conv_vstack.conv.weight", hidden, 1, 3, 3)[:, :, :1],
        "above.bias": foreign.take("conv_vstack.conv.bias", hidden),
        "along.weight": _hide(foreign.take("conv_hstack.conv.weight", hidden, 1, 1, 3), 1),
        "along.bias": foreign.take("conv_hstack.conv.bias", hidden),
        "out.weight": foreign.take("conv_out.weight", 256, hidden, 1, 1),
        "out.bias": foreign.take("conv_out.bias", 256),
    }
    for n in range(count):
        theirs = f"conv_layers.{n}"
        both = 2 * hidden
        vertical = foreign.take(f"{theirs}.conv_vert.conv.weight", both, hidden, 3, 3)
        along = foreign.take(f"{theirs}.conv_horiz.conv.weight", both, hidden, 1, 3)
        weights |= {
            f"vertical.{n}.conv.weight": vertical[:, :, :2],
            f"vertical.{n}.conv.bias": foreign.take(f"{theirs}.conv_vert.conv.bias", both),
            f"horizontal.{n}.conv.conv.weight": _hide(along, 2),
            f"horizontal.{n}.conv.conv.bias": foreign.take(f"{theirs}.conv_horiz.conv.bias", both),
        }
        for ours, name, width in (
            ("links.{}.product", "conv_vert_to_horiz", both),
            ("horizontal.{}.mix", "conv_horiz_1x1", hidden),
        ):
            weight = foreign.take(f"{theirs}.{name}.weight", width, width, 1, 1)
            weights[f"{ours.format(n)}.weight"] = weight
            weights[f"{ours.format(n)}.bias"] = foreign.take(f"{theirs}.{name}.bias", width)
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


def _hide(weight: Tensor, columns: int) -> Tensor:
    """Sets the columns of a window after the first few to zero."""
    shown = torch.arange(weight.shape[-1]) < columns
    return weight * shown
