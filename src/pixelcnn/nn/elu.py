"""The concatenated exponential linear unit."""

import torch
import torch.nn.functional as F
from torch import Tensor


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
