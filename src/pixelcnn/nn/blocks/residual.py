"""The gated residual block of PixelCNN++ and PixelSNAIL."""

from functools import partial
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelcnn.nn.blocks.activations import concat_elu, halves, packed
from pixelcnn.nn.condition import Condition, ConditionBias
from pixelcnn.nn.cursor import Cursor

GATE_SCALE = 0.1
"""Standard deviation of what a new block's second convolution gives: it adds little at first."""


class ConvMaker(Protocol):
    """Makes the convolutions of a block: `DownConv`, or a `partial` of `DownRightConv`."""

    def __call__(
        self,
        in_channels: int,
        out_channels: int,
        /,
        *,
        kernel_size: tuple[int, int] = ...,
        init_scale: float = ...,
    ) -> nn.Module: ...


class GatedResidual(nn.Module):
    """concat-ELU → convolution → concat-ELU → dropout → convolution → gate, around a skip.

    The second convolution writes twice as many features; their first half times σ of the second
    is what the block adds. A 1×1 convolution of the concat-ELU of an auxiliary input, for example
    a short-cut connection, is added between the two convolutions; a condition biases the second.
    PixelSNAIL has plain ELUs where PixelCNN++ has concat-ELUs.

    Args:
        features: D, features per pixel, in `groups` equal runs.
        conv: Makes both convolutions, and with `kernel_size=(1, 1)` that of the auxiliary input.
        num_aux: Features per pixel of the auxiliary input; 0 for none.
        dropout: Share of features dropped before the second convolution while training.
        condition: What the model is conditioned on.
        groups: Colour groups.
        by_row: Whether the block is of a stream that a walk computes a whole row at a time.
        concatenate: Whether activations are concat-ELUs, twice as wide, or plain ELUs.

    References:
        PixelCNN++ (Salimans et al., 2017), figure 2, sections 2.4 and 2.5. What a block consists
        of is stated by the authors' program alone, https://github.com/openai/pixel-cnn.
        https://arxiv.org/abs/1701.05517

    Example:
        >>> from pixelcnn.nn.convolutions.shifted import DownConv
        >>> block = GatedResidual(8, DownConv, num_aux=16)
        >>> block(torch.zeros(1, 4, 5, 8), aux=torch.zeros(1, 4, 5, 16)).shape
        torch.Size([1, 4, 5, 8])
    """

    def __init__(
        self,
        features: int,
        conv: ConvMaker,
        *,
        num_aux: int = 0,
        dropout: float = 0.0,
        condition: Condition | None = None,
        groups: int = 1,
        by_row: bool = False,
        concatenate: bool = True,
    ) -> None:
        super().__init__()
        assert groups == 1 or not by_row, "rows above are known in full: they have no groups"
        self.groups = groups
        self.dropout = dropout
        self.by_row = by_row
        self.concatenate = concatenate
        times = 2 if concatenate else 1
        self.first = conv(times * features, features)
        self.second = conv(times * features, 2 * features, init_scale=GATE_SCALE)
        point = partial(conv, kernel_size=(1, 1))
        self.aux = point(times * num_aux, features) if num_aux else None
        self.cond_bias: ConditionBias | None = None
        if condition is not None and not condition.is_none:
            self.cond_bias = ConditionBias(condition, 2 * features)

    def forward(
        self,
        h: Tensor,
        cond: Tensor | None = None,
        cursor: Cursor | None = None,
        *,
        aux: Tensor | None = None,
        added: Tensor | None = None,
    ) -> Tensor:
        """Maps features of any region to the same shape.

        Args:
            h: (B, H, W, D); along a walk a site (B, D / G), or a row (B, W, D).
            cond: As the model takes it.
            cursor: Place of a walk.
            aux: Auxiliary input, of the region of `h`.
            added: Features that are added between the convolutions as they are, shaped as `h`.
        """
        groups = self.groups if cursor is None else 1
        elu = partial(concat_elu, groups=groups) if self.concatenate else F.elu
        middle = self.first(elu(h), cursor)
        if self.aux is not None:
            assert aux is not None
            middle = middle + self.aux(elu(aux), cursor)
        if added is not None:
            middle = middle + added
        middle = F.dropout(elu(middle), self.dropout, training=self.training)
        out = self.second(middle, cursor)
        if self.cond_bias is not None:
            bias = self.cond_bias.of_rows if self.by_row else self.cond_bias
            out = out + bias(cond, cursor)
        value, opening = halves(out, groups=groups)
        return h + value * torch.sigmoid(packed(opening))
