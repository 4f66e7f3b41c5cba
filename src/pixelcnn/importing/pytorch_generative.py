"""The plain PixelCNN of pytorch-generative."""

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelcnn.importing.foreign import Foreign
from pixelcnn.nn import raster_mask


def from_pytorch_generative(foreign: Foreign) -> tuple[str, dict[str, object], dict[str, Tensor]]:
    """Converts the weights of its `PixelCNN` of binary images.

    Two things differ from the paper. The program reads levels as 0 and 1, so that the padding of
    the borders is level 0: here, a level embedding with these two values. And its blocks add their
    input twice, x → 2 x + f(x): here the features after n blocks are 2ⁿ times smaller, and weights
    scaled by powers of two, which is exact.

    Raises:
        CheckpointError: If names or shapes are others.
    """
    if foreign.has("_input._vstack_1xN.weight"):
        raise foreign.misfit("it is its gated PixelCNN, of which only the plain one can be read")
    foreign.skip("mask")
    first = foreign.take("_input.weight", None, 1, 7, 7)
    hidden = len(first)
    count = foreign.count("_causal_layers.{}._net.1.weight")
    width = len(foreign.take("_head.1.weight", None, hidden, 1, 1))
    if width > hidden:
        raise foreign.misfit(f"its head has {width} features, more than its blocks ({hidden})")
    missing = hidden - width  # features of the head that are zero, and read by nothing
    mix = foreign.take("_head.1.weight", width, hidden, 1, 1) * 2.0**count
    weights = {
        "embed.vectors.weight": torch.tensor([[0.0], [1.0]]),
        "first.weight": first * raster_mask("A", hidden, 1, (7, 7)),
        "first.bias": foreign.take("_input.bias", hidden),
        "mix.weight": F.pad(mix, (0, 0) * 3 + (0, missing)),
        "mix.bias": F.pad(foreign.take("_head.1.bias", width), (0, missing)),
        "out.weight": F.pad(
            foreign.take("_head.3.weight", 1, width, 1, 1), (0, 0, 0, 0, 0, missing)
        ),
        "out.bias": foreign.take("_head.3.bias", 1),
    }
    for n in range(count):
        weights |= _block(foreign, n, hidden)
    config: dict[str, object] = {
        "hidden_channels": hidden,
        "num_residual_blocks": count,
        "num_classes": 2,
        "level_embedding_dim": 1,
    }
    return "pixelcnn", config, weights


def _block(foreign: Foreign, number: int, hidden: int) -> dict[str, Tensor]:
    """The weights of a residual block, whose features are scaled down."""
    theirs, ours, half = f"_causal_layers.{number}._net", f"blocks.{number}", hidden // 2
    before, after = 2.0**number, 2.0 ** (number + 1)
    conv = foreign.take(f"{theirs}.3.weight", half, half, 3, 3)
    return {
        f"{ours}.reduce.weight": foreign.take(f"{theirs}.1.weight", half, hidden, 1, 1) * before,
        f"{ours}.reduce.bias": foreign.take(f"{theirs}.1.bias", half),
        f"{ours}.conv.weight": conv * raster_mask("B", half, half, (3, 3)),
        f"{ours}.conv.bias": foreign.take(f"{theirs}.3.bias", half),
        f"{ours}.expand.weight": foreign.take(f"{theirs}.5.weight", hidden, half, 1, 1) / after,
        f"{ours}.expand.bias": foreign.take(f"{theirs}.5.bias", hidden) / after,
    }
