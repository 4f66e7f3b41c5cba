"""Causal attention of a whole image in blocks of tokens, for training in half precision."""

from typing import Any

import torch
from torch import Tensor

from pixelcnn.device import has_amx

BLOCK = 64  # tokens; fewer make more calls, more make more products with the future
NARROW = 32
"""Width of a head below which PyTorch's attention trains faster in float32 than in bfloat16."""
MOST_WEIGHTS = 2**25
"""Most weights (B × heads × L × L / 2) that a pass keeps for its derivative: 64 MiB of them.

With more of them nothing was gained: they do not fit into any cache.
"""


def trains_in_half(query: Tensor) -> bool:
    """Whether queries are of a training in bfloat16 on a processor, not compiled."""
    return (
        query.dtype == torch.bfloat16
        and query.device.type == "cpu"
        and query.requires_grad
        and torch.is_grad_enabled()
        and not torch.compiler.is_compiling()
    )


def pays(query: Tensor) -> bool:
    """Whether `blockwise` is faster than PyTorch's own attention for queries (B, heads, L, width).

    That is on processors, where the products of half precision are several times as fast as what
    lies between them, and PyTorch's attention computes its weights twice and in single precision;
    but not with AMX, for which PyTorch has kernels of its own.
    """
    batch, heads, length, _ = query.shape
    return (
        trains_in_half(query)
        and not has_amx()
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
    """
    attended: Tensor = _Blockwise.apply(query, key, value)
    return attended


class _Blockwise(torch.autograd.Function):
    """With a derivative of its own: of slices of keys, autograd adds up whole tensors of zeros."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        query, keys = query * query.shape[-1] ** -0.5, key.transpose(-1, -2)
        later = torch.ones(BLOCK, BLOCK, dtype=torch.bool, device=query.device).triu(1)
        means, kept = torch.empty_like(value), []
        for start, stop in _blocks(query):
            fits = query[:, :, start:stop] @ keys[..., :stop]
            hidden = later[: stop - start, : stop - start]
            fits[..., start:].masked_fill_(hidden, -torch.inf)
            kept.append(fits.softmax(-1))
            means[:, :, start:stop] = kept[-1] @ value[:, :, :stop]
        ctx.save_for_backward(query, key, value, *kept)
        return means

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, of_means: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        query, key, value, *kept = ctx.saved_tensors
        of_query, of_key, of_value = (torch.zeros_like(part) for part in (query, key, value))
        for (start, stop), weights in zip(_blocks(query), kept, strict=True):
            of_mean = of_means[:, :, start:stop]
            of_value[:, :, :stop] += weights.transpose(-1, -2) @ of_mean
            of_weights = of_mean @ value[:, :, :stop].transpose(-1, -2)
            of_fits = torch._softmax_backward_data(of_weights, weights, -1, weights.dtype)
            of_query[:, :, start:stop] = of_fits @ key[:, :, :stop]
            of_key[:, :, :stop] += of_fits.transpose(-1, -2) @ query[:, :, start:stop]
        return of_query * query.shape[-1] ** -0.5, of_key, of_value


def _blocks(query: Tensor) -> list[tuple[int, int]]:
    """The first token of each block, and the one after its last."""
    length = query.shape[2]
    return [(start, min(length, start + BLOCK)) for start in range(0, length, BLOCK)]
