"""The gated activation and the concatenated exponential linear unit."""

import torch
import torch.nn.functional as F
from torch import Tensor

GATE_GAIN = 2.94
"""Factor on weights that read gated features: with it, unit variance goes in and comes out.

For two independent standard normal variables, E[tanh(a)² σ(b)²] = 0.394 × 0.293 = 1 / 2.94².
Stacks without a skip around the gate would else lose nine tenths of their variance in each layer.
"""

SHORT_ROW = 64  # numbers: two vectors of the widest kind


def halves(h: Tensor, *, groups: int = 1) -> tuple[Tensor, Tensor]:
    """Splits features in two, each colour group by itself.

    Args:
        h: Features of any region. (..., 2 D), in `groups` equal runs.
        groups: Colour groups; 1 along a walk, where features are those of one group.

    Returns:
        (..., D) and (..., D), in `groups` equal runs.
    """
    if groups == 1:
        first, second = h.chunk(2, -1)
        return first, second
    first, second = h.unflatten(-1, (groups, 2, -1)).unbind(-2)
    return first.flatten(-2), second.flatten(-2)


def gate(h: Tensor, *, groups: int = 1) -> Tensor:
    """Maps features (..., 2 D) to tanh(first half) × σ(second half), (..., D).

    Args:
        h: As `halves` takes it.
        groups: Colour groups; 1 along a walk.

    References:
        Conditional Image Generation with PixelCNN Decoders (van den Oord et al., 2016),
        equation 2. https://arxiv.org/abs/1606.05328
    """
    value, opening = halves(h, groups=groups)
    return torch.tanh(packed(value)) * torch.sigmoid(packed(opening))


def packed(half: Tensor) -> Tensor:
    """Half of some features, copied where that is faster than to read it where it lies.

    On processors, a function of bfloat16 numbers in short rows that lie apart is computed number
    by number: σ takes six to eight times as long.
    """
    is_slow = half.dtype == torch.bfloat16 and half.shape[-1] < SHORT_ROW
    return half.contiguous() if is_slow and half.device.type == "cpu" else half


def concat_elu(h: Tensor, *, groups: int = 1) -> Tensor:
    """Maps features (..., D) to ELU of them and of their negatives, (..., 2 D).

    Nothing is lost, and no derivative is ever zero: what one half flattens, the other passes.

    Args:
        h: Features of any region, in `groups` equal runs.
        groups: Colour groups; 1 along a walk, where features are those of one group.

    Returns:
        In `groups` equal runs: of each, the features, then their negatives.

    References:
        Understanding and Improving Convolutional Neural Networks via Concatenated Rectified
        Linear Units (Shang et al., 2016), section 2, there with ReLU.
        https://arxiv.org/abs/1603.05201
    """
    if groups == 1:
        return F.elu(torch.cat([h, -h], -1))
    runs = h.unflatten(-1, (groups, -1))
    return F.elu(torch.cat([runs, -runs], -1)).flatten(-2)
