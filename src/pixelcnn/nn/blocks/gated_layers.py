"""Layers of `GatedPixelCNN`: two stacks, and the links between them."""

from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from pixelcnn.nn.blocks.activations import GATE_GAIN, gate, halves
from pixelcnn.nn.condition import Condition, ConditionBias
from pixelcnn.nn.convolutions.masked import MaskedConv2d
from pixelcnn.nn.convolutions.stacks import HorizontalConv, VerticalConv
from pixelcnn.nn.cursor import Cursor
from pixelcnn.nn.norm import Norm, NormKind

Writes = Literal["both", "path", "skip"]


class VerticalLayer(nn.Module):
    """Gate → convolution over the rows above. A condition biases the gate.

    The convolution's output, twice as wide as the stack, is what the next layer's gate and the
    link to the horizontal stack read. After a linear first layer (`gated=False`) there is no gate.
    """

    def __init__(
        self,
        hidden: int,
        kernel_size: int,
        dilation: int,
        dropout: float,
        norm: NormKind,
        condition: Condition,
        *,
        gated: bool = True,
    ) -> None:
        super().__init__()
        self.gated = gated
        reads = 2 * hidden if gated else hidden
        self.cond_bias = None if condition.is_none else ConditionBias(condition, reads)
        self.dropout = dropout
        self.norm = None if norm == "none" else Norm(norm, hidden)
        # Nothing goes around the gates of this stack: see `GATE_GAIN`. A norm does the same.
        self.conv = VerticalConv(
            "B",
            hidden,
            2 * hidden,
            kernel_size,
            dilation=dilation,
            gain=GATE_GAIN if gated and self.norm is None else 1.0,
        )

    def forward(self, above: Tensor, cond: Tensor | None, cursor: Cursor | None) -> Tensor:
        """Maps (B, H, W, 2 D), or a row (B, W, 2 D), to the same shape; (…, D) without a gate."""
        if self.cond_bias is not None:
            above = above + self.cond_bias.of_rows(cond, cursor)
        rows = gate(above) if self.gated else above
        rows = F.dropout(rows, self.dropout, training=self.training)
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
        writes: What is read of its output: the residual path, its skip, or both.
    """

    def __init__(
        self,
        conv: HorizontalConv,
        hidden: int,
        dropout: float,
        norm: NormKind,
        groups: int,
        *,
        writes: Writes,
    ) -> None:
        super().__init__()
        self.groups = groups
        self.is_first, self.writes = conv.kind == "A", writes
        plain = norm == "none" or self.is_first
        self.norm = None if plain else Norm(norm, hidden, groups=groups)
        self.conv = conv
        self.dropout = dropout
        width = 2 * hidden if writes == "both" else hidden
        self.mix = MaskedConv2d("B", hidden, width, 1, groups=groups)

    def forward(
        self, h: Tensor | None, context: Tensor, cursor: Cursor | None
    ) -> tuple[Tensor | None, Tensor | None]:
        """Maps the features of the stack to those after this layer, and to its skip, if any."""
        groups = 1 if cursor is not None else self.groups
        read = h if self.norm is None else self.norm(h, cursor)
        gated = gate(self.conv(read, context, cursor), groups=groups)
        gated = F.dropout(gated, self.dropout, training=self.training)
        out = self.mix(gated, cursor)
        if self.writes == "skip":
            return h, out
        residual, skip = (out, None) if self.writes == "path" else halves(out, groups=groups)
        if not self.is_first:
            assert h is not None
            residual = h + residual
        return residual, skip
