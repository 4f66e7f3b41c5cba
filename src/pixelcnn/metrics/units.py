"""A negative log-likelihood in other units: bits/dim and perplexity."""

import math


def bits_per_dim(nll_nats: float, num_dims: int) -> float:
    """Bits per sub-pixel of an ideal code.

    Args:
        nll_nats: Negative log-likelihood of a whole image, in nats.
        num_dims: Sub-pixels in the image, C·H·W.

    Returns:
        Bits per sub-pixel. Uniform guessing among K levels costs log2(K).

    Example:
        >>> bits_per_dim(64 * math.log(256), num_dims=64)
        8.0
    """
    return nll_nats / num_dims / math.log(2)


def perplexity(nll_nats: float, num_dims: int) -> float:
    """Number of equally likely levels with the same NLL per sub-pixel.

    Args:
        nll_nats: Negative log-likelihood of a whole image, in nats.
        num_dims: Sub-pixels in the image, C·H·W.

    Returns:
        A number of levels, 1 when every sub-pixel is certain; infinite above 709 nats per
        sub-pixel, where a float overflows.

    Example:
        >>> round(perplexity(64 * math.log(17), num_dims=64), 6)
        17.0
    """
    try:
        return math.exp(nll_nats / num_dims)
    except OverflowError:
        return math.inf
