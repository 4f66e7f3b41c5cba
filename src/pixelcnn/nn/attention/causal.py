"""Causal self-attention over the sub-pixels of an image, or along a walk."""

import math

import torch
import torch.nn.functional as F
from einops import rearrange, repeat
from torch import Tensor, nn

from pixelcnn.nn.attention.key_values import KeyValues, attend
from pixelcnn.nn.convolutions.masked import MaskedConv2d
from pixelcnn.nn.cursor import Cursor
from pixelcnn.nn.norm import Norm

NUM_WAVES = 8
SHORTEST_WAVE = 4  # pixels


class CausalAttention(nn.Module):
    """Attention in which every site sees all sites before it, and itself, around a skip.

    An image is a sequence in raster order of H × W × G tokens, one for each colour group of each
    site: G attends to what R does, and to R and G of its own site. Every token has a query, a key
    and a value of the features up to its own group, normalised per pixel and group. Keys and
    values also read the newest sub-pixel (pixel, without colour groups) known at their token, so
    that all of the past is seen, and not only as far as the windows of the layers below: no
    window at the first column reaches the end of the row above.

    Queries and keys carry their place: sines and cosines of row and column (`coordinates`), by a
    learned product. They are computed, not looked up, so the weights serve any height and width.

    Along a walk keys and values are kept, 2 × B × H × W × (features, rounded up to whole heads)
    numbers in all, and a step costs as much as there are tokens before it.

    Args:
        features: D, features per pixel, in `groups` equal runs.
        inputs: Features per pixel of what the network reads, in `groups` equal runs.
        num_heads: Heads. Where they do not divide the features of a group, a head's width is
            rounded up.
        groups: Colour groups.
        strict: Whether a token sees strictly earlier tokens only, by keys and values that then
            read their own sub-pixel. The first one gets zeros from them.
        dropout: Share of the features added that is dropped while training.

    References:
        PixelSNAIL: An Improved Autoregressive Generative Model (Chen et al., 2018), section 2.2,
        for attention that reads the input and its places. https://arxiv.org/abs/1712.09763

    Example:
        >>> attention = CausalAttention(64, 1, num_heads=4)
        >>> attention(torch.zeros(2, 28, 28, 64), torch.zeros(2, 28, 28, 1)).shape
        torch.Size([2, 28, 28, 64])
    """

    def __init__(
        self,
        features: int,
        inputs: int,
        *,
        num_heads: int,
        groups: int = 1,
        strict: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.head_width = -(-features // (groups * num_heads))
        self.groups = groups
        self.strict = strict
        self.dropout = dropout
        width = num_heads * self.head_width  # of one token
        self.norm = Norm("channel", features, groups=groups)
        self.read = MaskedConv2d("B", features, groups * 3 * width, 1, groups=groups)
        self.place = nn.Linear(4 * NUM_WAVES, 2 * width, bias=False)
        self.know = nn.Linear(inputs // groups, 2 * width, bias=False)
        self.write = MaskedConv2d("B", groups * width, features, 1, groups=groups)

    def forward(self, h: Tensor, newest: Tensor | None, cursor: Cursor | None = None) -> Tensor:
        """Maps features of the whole image or of one site to the same shape.

        Args:
            h: (B, H, W, D), or a site (B, D / G).
            newest: What the network reads: of the whole image (B, H, W, I); with a cursor, of
                the newest known front (B, I / G), None at the first.
            cursor: Place of a walk whose fronts have one site.
        """
        read = self.read(self.norm(h, cursor), cursor)
        if cursor is None:
            assert newest is not None
            attended = self._whole(read, newest)
        else:
            walk = cursor.cached(self, lambda: AttentionWalk(self, cursor))
            attended = walk.step(read, newest, cursor)
        update = self.write(attended, cursor)
        return h + F.dropout(update, self.dropout, training=self.training)

    def places(self, height: int, width: int) -> Tensor:
        """What queries and keys get of their place. (2, heads, H × W, head width)."""
        placed = self.place(coordinates(height, width, like=self.place.weight))
        return rearrange(placed, "h w (two n d) -> two n (h w) d", two=2, n=self.num_heads)

    def _whole(self, read: Tensor, newest: Tensor) -> Tensor:
        _, height, width, _ = read.shape
        layout = {"g": self.groups, "n": self.num_heads, "d": self.head_width}
        query, key, value = rearrange(
            read, "b h w (g three n d) -> three b n (h w g) d", three=3, **layout
        )
        # Parts are unpacked, not indexed: the derivative of an index is a whole tensor of zeros.
        of_query, of_key = repeat(
            self.places(height, width), "two n l d -> two n (l g) d", g=self.groups
        )
        tokens = rearrange(newest, "b h w (g i) -> b (h w g) i", g=self.groups)
        if not self.strict:
            # The token before is the newest known one where this one is being predicted.
            tokens = F.pad(tokens[:, :-1], (0, 0, 1, 0))
        key_known, value_known = rearrange(
            self.know(tokens), "b l (two n d) -> two b n l d", two=2, d=layout["d"]
        )
        key, value = key + of_key + key_known, value + value_known
        attended = attend(query + of_query, key, value, strict=self.strict)
        return rearrange(attended, "b n (h w g) d -> b h w (g n d)", h=height, w=width)


class AttentionWalk:
    """Attention along a walk, one token at a time.

    Attributes:
        key_values: Of the tokens so far; places stand in the keys from the start.
        queries: What a query gets of its place. Shape: (H × W, heads × head width).
    """

    def __init__(self, attention: CausalAttention, cursor: Cursor) -> None:
        assert cursor.lag == 0, "attention is walked one site at a time"
        self.attention = attention
        queries, keys = attention.places(cursor.height, cursor.width).detach()
        keys = repeat(keys, "n l d -> n (l g) d", g=cursor.groups)
        self.key_values = KeyValues(keys, attention.head_width, batch_size=cursor.batch_size)
        self.queries = rearrange(queries, "n l d -> l (n d)")

    def step(self, read: Tensor, newest: Tensor | None, cursor: Cursor) -> Tensor:
        """Maps what is read at a token (B, 3 heads × head width) to what it attends to."""
        strict, token = self.attention.strict, cursor.token
        query, key, value = read.chunk(3, 1)
        self.key_values.add(token, key, value)
        if newest is not None:
            self.key_values.add(token - strict, *self.attention.know(newest).chunk(2, 1))
        query = query + self.queries[token // cursor.groups]
        return self.key_values.attend(query, num_seen=token + (not strict))

    def reorder(self, index: Tensor) -> None:
        """Lets image i go on as image `index[i]` was."""
        self.key_values.reorder(index)


def coordinates(height: int, width: int, *, like: Tensor) -> Tensor:
    """Where every pixel is, as waves along the rows and along the columns.

    Wavelengths are 4, 8, … 512 pixels: products of two places can tell their distance, and no two
    pixels of an image up to 512 pixels high and wide have the same.

    Args:
        height: H.
        width: W.
        like: Of the dtype and device wanted.

    Returns:
        Sines and cosines of the row, then of the column. (H, W, 4 × NUM_WAVES).

    Example:
        >>> coordinates(2, 3, like=torch.zeros(1))[:, :, 0]  # a quarter of the shortest wave
        tensor([[0., 0., 0.],
                [1., 1., 1.]])
    """
    dtype = torch.promote_types(like.dtype, torch.float32)
    octaves = 2.0 ** torch.arange(NUM_WAVES, dtype=dtype, device=like.device)
    turns = 2 * math.pi / (SHORTEST_WAVE * octaves)

    def waves(size: int) -> Tensor:
        angles = torch.arange(size, dtype=dtype, device=like.device)[:, None] * turns
        return torch.cat([angles.sin(), angles.cos()], 1).to(like.dtype)

    rows = repeat(waves(height), "h p -> h w p", w=width)
    columns = repeat(waves(width), "w p -> h w p", h=height)
    return torch.cat([rows, columns], 2)
