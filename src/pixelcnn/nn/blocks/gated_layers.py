"""Layers of `GatedPixelCNN`: two stacks, and the links between them."""

import torch.nn.functional as F
from torch import Tensor, nn

from pixelcnn.nn.blocks.activations import GATE_GAIN, gate, halves
from pixelcnn.nn.condition import Condition, ConditionBias
from pixelcnn.nn.convolutions.masked import MaskedConv2d
from pixelcnn.nn.convolutions.stacks import HorizontalConv, VerticalConv
from pixelcnn.nn.cursor import Cursor
from pixelcnn.nn.norm import Norm, NormKind


class VerticalLayer(nn.Module):
    """Gate → convolution over the rows above. A condition biases the gate.

    The convolution's output, twice as wide as the stack, is what the next layer's gate and the
    link to the horizontal stack read.
    """

    def __init__(
        self,
        hidden: int,
        kernel_size: int,
        dilation: int,
        dropout: float,
        norm: NormKind,
        condition: Condition,
    ) -> None:
        super().__init__()
        self.cond_bias = None if condition.is_none else ConditionBias(condition, 2 * hidden)
        self.dropout = dropout
        self.norm = None if norm == "none" else Norm(norm, hidden)
        # Nothing goes around the gates of this stack: see `GATE_GAIN`. A norm does the same.
        self.conv = VerticalConv(
            "B",
            hidden,
            2 * hidden,
            kernel_size,
            dilation=dilation,
            gain=GATE_GAIN if self.norm is None else 1.0,
        )

    def forward(self, above: Tensor, cond: Tensor | None, cursor: Cursor | None) -> Tensor:
        """Maps (B, H, W, 2 D), or a row (B, W, 2 D), to the same shape."""
        if self.cond_bias is not None:
            above = above + self.cond_bias.of_rows(cond, cursor)
        rows = F.dropout(gate(above), self.dropout, training=self.training)
        return self.conv(rows if self.norm is None else self.norm(rows), cursor)


class Link(nn.Module):
    """A 1×1 convolution from the vertical stack into the gates of the horizontal one.

    It is there that a condition biases those gates: along a walk, once for a whole row.
    """

    def __init__(self, hidden: int, condition: Condition) -> None:
        super().__init__()
        self.product = MaskedConv2d("B", 2 * hidden, 2 * hidden, 1)
        self.cond_bias = None if condition.is_none else ConditionBias(condition, 2 * hidden)

    def forward(self, above: Tensor, cond: Tensor | None, cursor: Cursor | None) -> Tensor:
        """Maps (B, H, W, 2 D), or a row (B, W, 2 D), to the same shape."""
        context = self.product(above)
        if self.cond_bias is not None:
            context = context + self.cond_bias.of_rows(cond, cursor)
        return context


class HorizontalLayer(nn.Module):
    """Masked convolution along the row → gate → 1×1, with what the rows above say in the gate.

    Args:
        conv: The first of the network (mask A), around which nothing goes, or a later one.
        hidden: Features of the stack, in `groups` equal runs.
        dropout: Share of gated features dropped while training.
        norm: Of what the convolution reads, unless it is the first.
        groups: Colour groups.
        is_last: Whether skips alone are read of its output.
    """

    def __init__(
        self,
        conv: HorizontalConv,
        hidden: int,
        dropout: float,
        norm: NormKind,
        groups: int,
        *,
        is_last: bool,
    ) -> None:
        super().__init__()
        self.groups = groups
        self.is_first, self.is_last = conv.kind == "A", is_last
        plain = norm == "none" or self.is_first
        self.norm = None if plain else Norm(norm, hidden, groups=groups)
        self.conv = conv
        self.dropout = dropout
        writes = hidden if is_last else 2 * hidden
        self.mix = MaskedConv2d("B", hidden, writes, 1, groups=groups)

    def forward(
        self, h: Tensor | None, context: Tensor, cursor: Cursor | None
    ) -> tuple[Tensor | None, Tensor]:
        """Maps the features of the stack to those after this layer, and to its skip."""
        groups = 1 if cursor is not None else self.groups
        read = h if self.norm is None else self.norm(h, cursor)
        gated = gate(self.conv(read, context, cursor), groups=groups)
        gated = F.dropout(gated, self.dropout, training=self.training)
        out = self.mix(gated, cursor)
        if self.is_last:
            return h, out
        residual, skip = halves(out, groups=groups)
        if not self.is_first:
            assert h is not None
            residual = h + residual
        return residual, skip
