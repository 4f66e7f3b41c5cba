"""Dot products of queries with the keys of earlier tokens: of a whole image, or along a walk."""

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelcnn.device import has_avx512
from pixelcnn.nn.attention.blockwise import NARROW, blockwise, pays, trains_in_half
from pixelcnn.nn.cursor import reordered


def attend(query: Tensor, key: Tensor, value: Tensor, *, strict: bool) -> Tensor:
    """The mean of the values of all tokens so far, weighted by how well their keys fit the query.

    Args:
        query: Shape: (B, heads, L, key width).
        key: Shape: (B, heads, L, key width).
        value: Shape: (B, heads, L, value width).
        strict: Whether a token sees strictly earlier tokens only. The first one gets zeros.

    Returns:
        Shape: (B, heads, L, value width).

    References:
        Attention Is All You Need (Vaswani et al., 2017), section 3.2.1.
        https://arxiv.org/abs/1706.03762
    """
    if not strict:
        return _attend(query, key, value)
    if query.shape[2] == 1:
        return torch.zeros_like(value)
    # One late: the second token sees the first, and so on. No row of the mask is empty.
    late = _attend(query[:, :, 1:], key[:, :, :-1], value[:, :, :-1])
    return F.pad(late, (0, 0, 1, 0))


def _attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    if pays(query):
        return blockwise(query, key, value)
    if trains_in_half(query) and (value.shape[-1] < NARROW or not has_avx512()):
        with torch.autocast(query.device.type, enabled=False):
            return _at_once(query.float(), key.float(), value.float()).to(value.dtype)
    return _at_once(query, key, value)


def _at_once(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    key_width, value_width = key.shape[-1], value.shape[-1]
    # Kernels that never hold the L × L weights want keys as wide as values: zeros change nothing.
    width = max(key_width, value_width)
    query, key, value = (widened(part, width) for part in (query, key, value))
    scale = key_width**-0.5
    mean = F.scaled_dot_product_attention(query, key, value, is_causal=True, scale=scale)
    return mean if value_width == width else mean[..., :value_width]


def widened(part: Tensor, width: int) -> Tensor:
    """Adds zeros to (..., D) up to a width; without a copy if there are none to add."""
    missing = width - part.shape[-1]
    return F.pad(part, (0, missing)) if missing else part


class KeyValues:
    """Keys and values of the tokens of a walk.

    A step reads all of them once, so it costs what they cost to read. Keys lie feature by feature
    along the tokens: products with one query then run over neighbours in memory.

    Args:
        keys: What the key of each token begins with, the same in all images. (heads, L, key width).
        value_width: Width of the values, which begin as zeros.
        batch_size: B.

    Attributes:
        keys: Shape: (B, heads, key width, L).
        values: Shape: (B, heads, L, value width).
    """

    def __init__(self, keys: Tensor, value_width: int, *, batch_size: int) -> None:
        num_heads, num_tokens, key_width = keys.shape
        self.keys = keys.mT.repeat(batch_size, 1, 1, 1)
        self.values = keys.new_zeros(batch_size, num_heads, num_tokens, value_width)
        self.scale = key_width**-0.5

    def add(self, token: int, key: Tensor, value: Tensor) -> None:
        """Adds (B, heads × key width) and (B, heads × value width) to those of a token."""
        num_heads = self.keys.shape[1]
        self.keys.select(3, token).add_(key.unflatten(1, (num_heads, -1)))
        self.values.select(2, token).add_(value.unflatten(1, (num_heads, -1)))

    def reorder(self, index: Tensor) -> None:
        """Lets image i go on as image `index[i]` was."""
        self.keys = reordered(self.keys, index)
        self.values = reordered(self.values, index)

    def attend(self, query: Tensor, num_seen: int) -> Tensor:
        """What a query (B, heads × key width) gets of the first tokens. (B, heads × value width).

        Zeros if it may see none.
        """
        if num_seen == 0:
            return torch.zeros_like(self.values[:, :, 0]).flatten(1)
        # For a single query two plain products are faster than kernels made for many.
        keys, values = self.keys.flatten(0, 1), self.values.flatten(0, 1)
        query = (self.scale * query).reshape(len(keys), 1, -1)
        weights = torch.bmm(query, keys[:, :, :num_seen]).softmax(2)
        return torch.bmm(weights, values[:, :num_seen]).view(len(self.values), -1)
