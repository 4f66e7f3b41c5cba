"""PixelSNAIL: gated residual blocks of causal convolutions, and attention between them."""

from functools import partial

import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn
from typing_extensions import Unpack

from pixelcnn.arguments import check_share
from pixelcnn.models.base import AutoregressiveModel
from pixelcnn.models.options import SharedOptions, check_least
from pixelcnn.nn import (
    BackgroundAttention,
    Condition,
    Cursor,
    DownConv,
    DownRightConv,
    GatedResidual,
    Offsets,
    ReceptiveField,
    with_ones,
)

ABOVE = (1, 3)  # window of the first layer in the row above
LEFT = (1, 2)  # and in the own row
CORNER: Offsets = frozenset({(-1, -1), (-1, 0), (0, -1), (0, 0)})  # window of all others


class PixelSNAIL(AutoregressiveModel):
    """Blocks of residual convolutions, each followed by attention to all that came before.

    The first layer sees the row above and the pixel to the left. A block is `num_resnets` gated
    residual blocks of 2×2 windows that end at the own pixel, then attention, whose keys and values
    also read the pixels themselves, and one gated residual block of 1×1 convolutions that adds
    what attention got. So every earlier sub-pixel is seen from the first attention on, and a walk
    visits one site at a time. Layers are weight-normalised; `initialise` sets their scales by a
    first batch, as training does by itself.

    For CIFAR-10 there are 46,021,908 parameters, 158,880 fewer than in the authors' program: a
    place is two numbers here, and there the row and the column come once for each colour. Above
    the image and to its left the program's first features are zero; here they are the biases. With
    a head that predicts colours one by one the network has colour groups, and attention goes from
    sub-pixel to sub-pixel; the program has mixtures only.

    Args:
        hidden_channels: Features per pixel, 256 in the paper. With C > 1 channels predicted one by
            one it is rounded up to a multiple of C.
        num_blocks: Blocks, 12 in the paper for CIFAR-10.
        num_resnets: Gated residual blocks before each attention, 4 in the paper.
        key_width: Features of a query and of a key of each head. Values have half the features of
            a pixel, all heads together.
        num_heads: Heads of each attention, 1 in the paper.
        dropout: Share of features dropped in each residual block while training.
        **shared: Arguments of every model, see `AutoregressiveModel`.

    Raises:
        ConfigError: If an argument is out of range or does not fit another.

    References:
        PixelSNAIL: An Improved Autoregressive Generative Model (Chen et al., 2018), figures 2 and
        3. https://arxiv.org/abs/1712.09763. What it leaves open is as in the authors' program,
        https://github.com/neocxi/pixelsnail-public, `h12_noup_smallkey`.

    Example:
        >>> model = PixelSNAIL(hidden_channels=16, num_blocks=1, num_resnets=2, image_size=28)
        >>> model.receptive_field()[:3], model.receptive_field().sees_all_past
        ((5, 5, 1), True)
    """

    def __init__(
        self,
        *,
        hidden_channels: int = 64,
        num_blocks: int = 2,
        num_resnets: int = 4,
        key_width: int = 16,
        num_heads: int = 1,
        dropout: float = 0.0,
        **shared: Unpack[SharedOptions],
    ) -> None:
        super().__init__(**shared)
        check_least(1, hidden_channels=hidden_channels, num_blocks=num_blocks)
        check_least(1, num_resnets=num_resnets, key_width=key_width, num_heads=num_heads)
        check_share("dropout", dropout)
        hidden, reads = -(-hidden_channels // self.groups) * self.groups, self.embed.num_features
        marked = reads + self.groups
        self.above = DownConv(marked, hidden, ABOVE)
        self.left = DownRightConv(marked, hidden, LEFT, kind="A", groups=self.groups)
        self.blocks = nn.ModuleList(
            Block(
                hidden,
                reads,
                num_resnets=num_resnets,
                key_width=key_width,
                num_heads=num_heads,
                dropout=dropout,
                condition=self.condition,
                groups=self.groups,
            )
            for _ in range(num_blocks)
        )
        self.num_convs = 2 * num_blocks * num_resnets
        num_params = self.likelihood.num_params
        self.out = DownRightConv(hidden, num_params, (1, 1), groups=self.groups)

    def forward(
        self, x: Tensor, cond: Tensor | None = None, cursor: Cursor | None = None
    ) -> Tensor:
        newest = self.embed(x, cursor)
        h = self._first(x, newest, cursor)
        for block in self.blocks:
            h = block(h, newest, cond, cursor)
        params = self.out(F.elu(h), cursor)
        return params if cursor is not None else rearrange(params, "b h w p -> b p h w")

    def _first(self, x: Tensor, newest: Tensor | None, cursor: Cursor | None) -> Tensor:
        """The first layer, which reads ones beside the levels: they end where the image does."""
        if newest is not None:
            newest = with_ones(newest, groups=self.groups if cursor is None else 1)
        if cursor is None:
            assert newest is not None
            above = self.above(F.pad(newest, (0, 0, 0, 0, 1, 0))[:, :-1])
        else:
            row = cursor.per_row(self, partial(self._row_above, x, cursor))
            above = row[:, cursor.front.column, cursor.run(row.shape[-1])]
        return above + self.left(newest, cursor)

    def _row_above(self, x: Tensor, cursor: Cursor) -> Tensor:
        """What the first layer gets from the row above. (B, W, D)."""
        row = self.embed.row_above(x, cursor)
        row = with_ones(row, groups=self.groups, inside=cursor.front.row > 0)
        return self.above(row, cursor)

    def receptive_field(self) -> ReceptiveField:
        first = {(-1, -1), (-1, 0), (-1, 1), (0, -1)}
        if self.groups > 1:
            first.add((0, 0))
        return ReceptiveField.of([frozenset(first), *[CORNER] * self.num_convs], sees_all_past=True)


class Block(nn.Module):
    """Gated residual blocks of 2×2 windows, attention, and one more block that adds what it got.

    Args:
        features: D, features per pixel, in `groups` equal runs.
        inputs: Features per pixel of what the network reads, in `groups` equal runs.
        num_resnets: Residual blocks before attention.
        key_width: As `pixelcnn.nn.BackgroundAttention` takes it.
        num_heads: As `pixelcnn.nn.BackgroundAttention` takes it.
        dropout: Share of features dropped in each residual block while training.
        condition: What the model is conditioned on.
        groups: Colour groups.
    """

    def __init__(
        self,
        features: int,
        inputs: int,
        *,
        num_resnets: int,
        key_width: int,
        num_heads: int,
        dropout: float,
        condition: Condition,
        groups: int,
    ) -> None:
        super().__init__()
        resnet = partial(
            GatedResidual,
            features,
            dropout=dropout,
            condition=condition,
            groups=groups,
            concatenate=False,
        )
        conv = partial(DownRightConv, groups=groups)
        self.resnets = nn.ModuleList(resnet(conv) for _ in range(num_resnets))
        self.attention = BackgroundAttention(
            features,
            inputs,
            key_width=key_width,
            num_heads=num_heads,
            dropout=dropout,
            condition=condition,
            groups=groups,
        )
        point = partial(conv, kernel_size=(1, 1))
        self.merge = resnet(point, num_aux=self.attention.num_writes)

    def forward(
        self, h: Tensor, newest: Tensor | None, cond: Tensor | None, cursor: Cursor | None
    ) -> Tensor:
        """Maps features of the whole image, or of one site, to the same shape."""
        for resnet in self.resnets:
            h = resnet(h, cond, cursor)
        got = self.attention(h, newest, cond, cursor)
        return self.merge(h, cond, cursor, aux=got)
