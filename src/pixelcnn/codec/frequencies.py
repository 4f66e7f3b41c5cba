"""Level logits to integer frequencies: the one place where probabilities are rounded."""

import math
from functools import cache

import torch
from torch import Tensor

from pixelcnn.errors import ConfigError

PRECISION_BITS = 24
"""The frequencies of the levels of a sub-pixel sum to 2**24, whatever K."""

STEPS_PER_BIT = 256
"""Log-probabilities are rounded to multiples of 1/256 bit below that of the likeliest level."""

DEPTH_BITS = 28
"""The weight of the likeliest level is 2**28; more than 28 bits below it a weight is zero."""

BLOCK_SIZE = 2**16  # numbers at a time, which stay in the cache of a processor


def level_frequencies(logits: Tensor) -> Tensor:
    """Integer frequencies of the levels of sub-pixels: positive, with the sum 2**24.

    With the largest logit m and the exact table w(q) = floor(2**(28 - q / 256)):

    1. q = round((m - logit) × 256 / ln 2), at most 28 × 256 + 1, where w is zero;
    2. frequency = 1 + floor(w × (2**24 - K) / (sum of w)), where / rounds as IEEE 754 says;
    3. what is missing to 2**24 goes to the likeliest level, the lowest of equal ones.

    Only the first step rounds what is not an integer. All numbers of the others are below 2**53,
    so float64 holds them exactly: equal logits give equal frequencies on every machine. A level of
    a larger logit never gets a smaller frequency.

    Args:
        logits: Up to a constant. (N, K), floats; minus infinity is allowed, for all but one.

    Returns:
        (N, K), int32.

    Raises:
        ConfigError: If a row has no finite largest logit.

    Example:
        >>> level_frequencies(torch.tensor([[0.0, 0.0], [0.0, -torch.inf]]))
        tensor([[ 8388608,  8388608],
                [16777215,        1]], dtype=torch.int32)
    """
    num_levels = logits.shape[1]
    blocks = logits.split(max(1, BLOCK_SIZE // num_levels))
    return torch.cat([_frequencies(block) for block in blocks])


def _frequencies(logits: Tensor) -> Tensor:
    logits = logits.double()
    top, likeliest = logits.max(1, keepdim=True)
    if not bool(top.isfinite().all()):
        raise ConfigError(
            "Images can be coded where the model gives finite logits, got others: its features "
            "overflow. Use another model."
        )
    below = (top - logits).mul_(STEPS_PER_BIT / math.log(2)).round_()
    table = _weights().to(logits.device)
    weights = table[below.clamp_(max=DEPTH_BITS * STEPS_PER_BIT + 1).long()]
    free = 2**PRECISION_BITS - logits.shape[1]
    shares = (weights * free).div_(weights.sum(1, keepdim=True)).floor_()
    shares.scatter_add_(1, likeliest, free - shares.sum(1, keepdim=True))
    return shares.add_(1).int()


@cache
def _weights() -> Tensor:
    """w(q) for q from 0 to 28 × 256 + 1, by arithmetic of integers alone. Float64."""
    bits = 128  # after the binary point
    root = 2 << bits  # its square root eight times is 2**(1 / 256)
    for _ in range(STEPS_PER_BIT.bit_length() - 1):
        root = math.isqrt(root << bits)
    octave = [1 << bits]
    while len(octave) < STEPS_PER_BIT:
        octave.append((octave[-1] * root) >> bits)
    powers = [(each << up) >> bits for up in range(DEPTH_BITS) for each in octave]
    return torch.tensor([0, *powers, 2**DEPTH_BITS], dtype=torch.float64).flip(0)
