"""The attention of PixelSNAIL: keys and values read the input, and everything reads its place."""

from collections.abc import Sequence
from functools import partial

import torch
from einops import rearrange, repeat
from torch import Tensor, nn

from pixelcnn.nn.attention.key_values import KeyValues, attend
from pixelcnn.nn.blocks.residual import GatedResidual
from pixelcnn.nn.condition import Condition
from pixelcnn.nn.convolutions.shifted import DownRightConv
from pixelcnn.nn.cursor import Cursor

PLACES = 2  # coordinates of a pixel


class BackgroundAttention(nn.Module):
    """What every site gets from the sites strictly before it, their own pixels included.

    An image is a sequence in raster order of H × W × G tokens, one for each colour group of each
    site. Keys and values are computed from the input, the features and the place (`background`) of
    their token, queries from features and place alone, both by a gated residual block of 1×1
    convolutions and one more 1×1 convolution.

    Along a walk a key has to wait until its own sub-pixel is known: it is computed one step late.
    Kept are B × H × W × G × heads × (key width + value width) numbers.

    Args:
        features: D, features per pixel, in `groups` equal runs.
        inputs: Features per pixel of what the network reads, in `groups` equal runs.
        key_width: Features of a query and of a key of each head.
        num_heads: Heads. The values of all heads of a token have half as many features as the
            token itself; where heads do not divide them, a head's width is rounded up.
        dropout: Share of features dropped in the residual blocks while training.
        condition: What the model is conditioned on, as a bias of the residual blocks.
        groups: Colour groups.

    Attributes:
        num_writes: Features per pixel of what is got, in `groups` equal runs.

    References:
        PixelSNAIL: An Improved Autoregressive Generative Model (Chen et al., 2018), figure 3, and
        https://github.com/neocxi/pixelsnail-public. https://arxiv.org/abs/1712.09763

    Example:
        >>> attention = BackgroundAttention(64, 1, key_width=16, num_heads=1)
        >>> attention(torch.zeros(2, 28, 28, 64), torch.zeros(2, 28, 28, 1)).shape
        torch.Size([2, 28, 28, 32])
    """

    def __init__(
        self,
        features: int,
        inputs: int,
        *,
        key_width: int,
        num_heads: int,
        dropout: float = 0.0,
        condition: Condition | None = None,
        groups: int = 1,
    ) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.key_width = key_width
        self.value_width = -(-features // (2 * groups * num_heads))
        self.groups = groups
        self.num_writes = groups * num_heads * self.value_width
        point = partial(DownRightConv, kernel_size=(1, 1), groups=groups)
        block = partial(GatedResidual, conv=point, dropout=dropout, condition=condition)
        # Queries by `ask`, keys and values by `tell`: names that checkpoints hold.
        query_inputs = features + groups * PLACES
        key_inputs = query_inputs + inputs
        self.ask_block = block(query_inputs, groups=groups, concatenate=False)
        self.ask = point(query_inputs, groups * num_heads * key_width)
        self.tell_block = block(key_inputs, groups=groups, concatenate=False)
        self.tell = point(key_inputs, groups * num_heads * (key_width + self.value_width))

    def forward(
        self,
        h: Tensor,
        newest: Tensor | None,
        cond: Tensor | None = None,
        cursor: Cursor | None = None,
    ) -> Tensor:
        """Maps features (B, H, W, D), or a site (B, D / G), to what is got there.

        Args:
            h: Features of the whole image or of one site.
            newest: What the network reads: of the whole image (B, H, W, I); with a cursor, of
                the newest known front (B, I / G), None at the first.
            cond: As the model takes it.
            cursor: Place of a walk whose fronts have one site.

        Returns:
            (B, H, W, `num_writes`), or a site (B, `num_writes` / G).
        """
        if cursor is not None:
            walk = cursor.cached(self, lambda: BackgroundWalk(self, h, cursor))
            return walk.step(h, newest, cond, cursor)
        assert newest is not None
        _, height, width, _ = h.shape
        places = repeat(
            background(height, width, like=h), "h w p -> b h w (g p)", b=len(h), g=self.groups
        )
        read = self.queries(h, places, cond), self.keys_values(h, newest, places, cond)
        tokens = [rearrange(t, "b h w (g d) -> b (h w g) d", g=self.groups) for t in read]
        query, key, value = (
            rearrange(t, "b l (n d) -> b n l d", n=self.num_heads)
            for t in (tokens[0], *tokens[1].split(self.widths, -1))
        )
        got = attend(query, key, value, strict=True)
        return rearrange(got, "b n (h w g) d -> b h w (g n d)", h=height, g=self.groups)

    @property
    def widths(self) -> list[int]:
        """Features of the keys, and of the values, of one token, all heads together."""
        return [self.num_heads * self.key_width, self.num_heads * self.value_width]

    def queries(
        self, h: Tensor, places: Tensor, cond: Tensor | None, cursor: Cursor | None = None
    ) -> Tensor:
        """Queries. (..., G × heads × key width)."""
        read = join([h, places], groups=self._num_runs(cursor))
        return self.ask(self.ask_block(read, cond, cursor), cursor)

    def keys_values(
        self,
        h: Tensor,
        newest: Tensor,
        places: Tensor,
        cond: Tensor | None,
        cursor: Cursor | None = None,
    ) -> Tensor:
        """Keys and values: for each of G runs, those of all heads. (..., G × sum of `widths`)."""
        read = join([newest, h, places], groups=self._num_runs(cursor))
        return self.tell(self.tell_block(read, cond, cursor), cursor)

    def _num_runs(self, cursor: Cursor | None) -> int:
        return self.groups if cursor is None else 1


class BackgroundWalk:
    """Attention along a walk, one token at a time.

    Attributes:
        key_values: Of the tokens whose sub-pixel is known.
        places: Shape: (H, W, 2).
        h: Features of the newest token, for its key. (B, D / G).
    """

    def __init__(self, attention: BackgroundAttention, h: Tensor, cursor: Cursor) -> None:
        assert cursor.lag == 0, "attention is walked one site at a time"
        self.attention = attention
        self.places = background(cursor.height, cursor.width, like=h)
        num_tokens = cursor.height * cursor.width * cursor.groups
        keys = h.new_zeros(attention.num_heads, num_tokens, attention.key_width)
        width = attention.value_width
        self.key_values = KeyValues(keys, width, batch_size=cursor.batch_size)
        self.h = h

    def step(self, h: Tensor, newest: Tensor | None, cond: Tensor | None, cursor: Cursor) -> Tensor:
        """Maps features (B, D / G) to what is got at the token of the cursor."""
        attention, token = self.attention, cursor.token
        if newest is not None:
            behind = cursor.behind
            read = attention.keys_values(self.h, newest, self._places(behind), cond, behind)
            self.key_values.add(token - 1, *read.split(attention.widths, 1))
        self.h = h
        query = attention.queries(h, self._places(cursor), cond, cursor)
        return self.key_values.attend(query, num_seen=token)

    def reorder(self, index: Tensor) -> None:
        """Lets image i go on as image `index[i]` was."""
        self.key_values.reorder(index)
        self.h = self.h.index_select(0, index)

    def _places(self, cursor: Cursor) -> Tensor:
        place = self.places[cursor.front.row, cursor.front.column]
        return place.expand(cursor.batch_size, -1)


def background(height: int, width: int, *, like: Tensor) -> Tensor:
    """Where every pixel is, from -1/2 at the first row and column to almost 1/2 at the last.

    Args:
        height: H.
        width: W.
        like: Of the dtype and device wanted.

    Returns:
        Row and column of each pixel. (H, W, 2).

    Example:
        >>> background(2, 4, like=torch.zeros(1))[1]
        tensor([[ 0.0000, -0.5000],
                [ 0.0000, -0.2500],
                [ 0.0000,  0.0000],
                [ 0.0000,  0.2500]])
    """
    dtype = torch.promote_types(like.dtype, torch.float32)
    rows, columns = (
        torch.arange(size, dtype=dtype, device=like.device) / size - 0.5 for size in (height, width)
    )
    return torch.stack(torch.meshgrid(rows, columns, indexing="ij"), -1).to(like.dtype)


def join(parts: Sequence[Tensor], *, groups: int) -> Tensor:
    """Puts features beside each other, each colour group's by themselves.

    Args:
        parts: Features of one region, each in `groups` equal runs.
        groups: Colour groups; 1 along a walk, where features are those of one group.

    Returns:
        In `groups` equal runs.

    Example:
        >>> join([torch.tensor([1, 2]), torch.tensor([3, 4, 5, 6])], groups=2)
        tensor([1, 3, 4, 2, 5, 6])
    """
    if groups == 1:
        return torch.cat(list(parts), -1)
    return torch.cat([part.unflatten(-1, (groups, -1)) for part in parts], -1).flatten(-2)
