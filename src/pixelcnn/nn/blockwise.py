"""Causal attention of a whole image in blocks of tokens, for training in half precision."""

import torch
from torch import Tensor

BLOCK = 128  # tokens; fewer make more calls, more make more products with the future
MOST_WEIGHTS = 2**26
"""Most weights (B × heads × L × L / 2) that a pass keeps for its derivative: 128 MiB of them."""


def pays(query: Tensor) -> bool:
    """Whether `blockwise` is faster than PyTorch's own attention for queries (B, heads, L, width).

    That is on processors, where the products of half precision are several times as fast as what
    lies between them, and PyTorch's attention computes its weights twice and in single precision.
    """
    batch, heads, length, _ = query.shape
    return (
        query.dtype == torch.bfloat16
        and query.device.type == "cpu"
        and query.requires_grad
        and torch.is_grad_enabled()
        and not torch.compiler.is_compiling()
        and length > BLOCK
        and batch * heads * length * length // 2 <= MOST_WEIGHTS
    )


def blockwise(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """The mean of the values up to each token, weighted by how well their keys fit its query.

    Weights are kept for the derivative, in the precision of what comes in.

    Args:
        query: Shape: (B, heads, L, key width).
        key: Shape: (B, heads, L, key width).
        value: Shape: (B, heads, L, value width).

    Returns:
        Shape: (B, heads, L, value width).

    Example:
        >>> same, value = torch.zeros(1, 1, 3, 4), torch.tensor([1.0, 3.0, 8.0]).view(1, 1, 3, 1)
        >>> blockwise(same, same, value).flatten()
        tensor([1., 2., 4.])
    """
    length = query.shape[2]
    query, keys = query * query.shape[-1] ** -0.5, key.transpose(-1, -2)
    later = torch.ones(BLOCK, BLOCK, dtype=torch.bool, device=query.device).triu(1)
    means = []
    for start in range(0, length, BLOCK):
        stop = min(length, start + BLOCK)
        fits = query[:, :, start:stop] @ keys[..., :stop]
        # Behind the back of autograd, which would copy all of it: what is hidden gets a weight of
        # zero, and with it a derivative of zero without being told.
        hidden = later[: stop - start, : stop - start]
        fits.detach()[..., start:].masked_fill_(hidden, -torch.inf)
        means.append(fits.softmax(-1) @ value[:, :, :stop])
    return torch.cat(means, 2)
