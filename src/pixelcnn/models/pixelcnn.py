"""PixelCNN: one stack of masked convolutions."""

from collections.abc import Sequence

import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn
from typing_extensions import Unpack

from pixelcnn.arguments import check_share
from pixelcnn.errors import ConfigError
from pixelcnn.models.base import AutoregressiveModel
from pixelcnn.models.options import (
    NUM_HEADS,
    SharedOptions,
    attention_places,
    check_least,
    cycled,
)
from pixelcnn.nn import (
    CausalAttention,
    Condition,
    ConditionBias,
    Cursor,
    MaskedConv2d,
    Norm,
    NormKind,
    ReceptiveField,
    window,
)

FIRST_KERNEL = 7
KERNEL = 3


class PixelCNN(AutoregressiveModel):
    """A masked 7×7 convolution, residual blocks, and two masked 1×1 convolutions.

    Its receptive field has a blind spot above to the right (`receptive_field().offsets` says
    exactly where); `GatedPixelCNN` of the follow-up paper was made to close it.

    Args:
        hidden_channels: Features per pixel, 2h in the paper; a residual block works on half of
            them. With C > 1 channels predicted one by one it is rounded up to a multiple of 2C,
            so that every colour has its share (64 becomes 66 for RGB).
        num_layers: Plain masked 3×3 layers with a skip, between the first layer and the blocks.
        num_residual_blocks: Residual blocks.
        dropout: Share of features dropped in each block while training.
        dilations: Dilation of each block's 3×3 convolution, cycled; None for 1.
        norm: "none", "channel" (per pixel) or "batch" (see `pixelcnn.nn.Norm`).
        attention_every: Puts causal self-attention after every so many residual blocks;
            None for none. Every earlier pixel is then seen, and a walk visits one site at a time.
        num_heads: Heads of each attention.
        **shared: Arguments of every model, see `AutoregressiveModel`.

    Raises:
        ConfigError: If an argument is out of range or does not fit another.

    References:
        Pixel Recurrent Neural Networks (van den Oord et al., 2016), sections 3.2 to 3.5 and
        table 1. https://arxiv.org/abs/1601.06759

    Example:
        >>> model = PixelCNN(in_channels=1, num_classes=2, image_size=28)
        >>> x = model.generate(num_samples=2)
        >>> x.shape, model.log_prob(x).shape
        (torch.Size([2, 1, 28, 28]), torch.Size([2]))
    """

    lag: int | None = FIRST_KERNEL // 2 + 1

    def __init__(
        self,
        *,
        hidden_channels: int = 64,
        num_layers: int = 0,
        num_residual_blocks: int = 4,
        dropout: float = 0.0,
        dilations: Sequence[int] | None = None,
        norm: NormKind = "none",
        attention_every: int | None = None,
        num_heads: int = NUM_HEADS,
        **shared: Unpack[SharedOptions],
    ) -> None:
        super().__init__(**shared)
        if hidden_channels < 2 or hidden_channels % 2:
            raise ConfigError(
                f"`hidden_channels` must be even and positive, got {hidden_channels}."
            )
        check_least(0, num_layers=num_layers, num_residual_blocks=num_residual_blocks)
        check_least(1, num_heads=num_heads)
        check_share("dropout", dropout)
        groups, reads = self.groups, self.embed.num_features
        hidden = -(-hidden_channels // (2 * groups)) * 2 * groups
        self.dilations = cycled(dilations, num_residual_blocks)
        self.first = MaskedConv2d("A", reads, hidden, FIRST_KERNEL, groups=groups)
        self.layers = nn.ModuleList(
            MaskedConv2d("B", hidden, hidden, KERNEL, groups=groups) for _ in range(num_layers)
        )
        self.blocks = nn.ModuleList(
            ResidualBlock(hidden, dilation, dropout, norm, self.condition, groups=groups)
            for dilation in self.dilations
        )
        self.attentions = nn.ModuleDict(
            {
                str(place): CausalAttention(
                    hidden, reads, num_heads=num_heads, groups=groups, dropout=dropout
                )
                for place in attention_places(attention_every, num_residual_blocks, num_heads)
            }
        )
        if self.attentions:
            self.lag = None  # attention sees to the end of the row above
        self.mix = MaskedConv2d("B", hidden, hidden, 1, groups=groups)
        self.out = MaskedConv2d("B", hidden, self.likelihood.num_params, 1, groups=groups)

    def forward(
        self, x: Tensor, cond: Tensor | None = None, cursor: Cursor | None = None
    ) -> Tensor:
        newest = self.embed(x, cursor)
        h = self.first(newest, cursor)
        for layer in self.layers:
            h = h + layer(F.relu(h), cursor)
        for place, block in enumerate(self.blocks, 1):
            h = block(h, cond, cursor)
            if str(place) in self.attentions:
                h = self.attentions[str(place)](h, newest, cursor)
        h = self.mix(F.relu(h), cursor)
        params = self.out(F.relu(h), cursor)
        return params if cursor is not None else rearrange(params, "b h w p -> b p h w")

    def receptive_field(self) -> ReceptiveField:
        windows = [window("A", FIRST_KERNEL, groups=self.groups)]
        windows += [window("B", KERNEL) for _ in self.layers]
        windows += [window("B", KERNEL, dilation=dilation) for dilation in self.dilations]
        return ReceptiveField.of(windows, sees_all_past=bool(self.attentions))


class ResidualBlock(nn.Module):
    """ReLU → 1×1 → ReLU → masked 3×3 B → ReLU → 1×1, around a skip.

    A condition biases the 3×3 convolution's output.

    References:
        Pixel Recurrent Neural Networks (van den Oord et al., 2016), figure 5 (left).
    """

    def __init__(
        self,
        hidden: int,
        dilation: int,
        dropout: float,
        norm: NormKind,
        condition: Condition,
        *,
        groups: int,
    ) -> None:
        super().__init__()
        half = hidden // 2
        self.norm = None if norm == "none" else Norm(norm, hidden, groups=groups)
        self.reduce = MaskedConv2d("B", hidden, half, 1, groups=groups)
        self.conv = MaskedConv2d("B", half, half, KERNEL, groups=groups, dilation=dilation)
        self.cond_bias = None if condition.is_none else ConditionBias(condition, half)
        self.dropout = dropout
        self.expand = MaskedConv2d("B", half, hidden, 1, groups=groups)

    def forward(self, h: Tensor, cond: Tensor | None, cursor: Cursor | None) -> Tensor:
        """Maps features of any region to the same shape."""
        update = h if self.norm is None else self.norm(h, cursor)
        update = self.reduce(F.relu(update), cursor)
        update = self.conv(F.relu(update), cursor)
        if self.cond_bias is not None:
            update = update + self.cond_bias(cond, cursor)
        update = F.dropout(F.relu(update), self.dropout, training=self.training)
        return h + self.expand(update, cursor)
