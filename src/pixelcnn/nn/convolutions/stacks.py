"""Convolutions of two stacks: one over the rows above, one along the own row."""

import math
from typing import Any

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from pixelcnn.nn.convolutions.conv_walk import SiteConvWalk
from pixelcnn.nn.convolutions.masked import MaskedConv2d
from pixelcnn.nn.convolutions.masks import MaskKind
from pixelcnn.nn.cursor import Cursor, reordered


class VerticalConv(nn.Module):
    """Convolution over the rows above, all of their columns to both sides.

    The rows above are known in full, so nothing of them is masked, whatever the colours; what the
    window would see below is no part of the weights. Along a walk it computes a whole row when
    the row begins.

    Args:
        kind: "A" hides the own row (first layer); "B" shows it (all others).
        in_channels: Features read per pixel, I.
        out_channels: Features written per pixel, O.
        kernel_size: Odd side of the full window, whose lower half is cut off.
        dilation: Pixels between the taps.
        gain: Factor on the initial weights, see `pixelcnn.nn.gate.GATE_GAIN`.

    References:
        Conditional Image Generation with PixelCNN Decoders (van den Oord et al., 2016),
        section 2.2 and figure 1. https://arxiv.org/abs/1606.05328

    Example:
        >>> conv = VerticalConv("A", 1, 8, 7)
        >>> conv(torch.zeros(2, 28, 28, 1)).shape, conv.weight.shape
        (torch.Size([2, 28, 28, 8]), torch.Size([8, 1, 3, 7]))
    """

    def __init__(
        self,
        kind: MaskKind,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        dilation: int = 1,
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        assert kernel_size % 2, "a window without a centre"
        self.kind = kind
        self.dilation = dilation
        self.reach = kernel_size // 2 * dilation  # pixels seen above, to the left and to the right
        height = kernel_size // 2 + (kind == "B")
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, height, kernel_size))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        bound = gain * math.sqrt(3 / self.weight[0].numel())
        nn.init.uniform_(self.weight, -bound, bound)

    def forward(self, rows: Tensor, cursor: Cursor | None = None) -> Tensor:
        """Maps features (B, H, W, I) to (B, H, W, O), or a row (B, W, I) to (B, W, O).

        With a cursor, once for each of its rows: kind "A" takes the row above and kind "B" the
        current one.
        """
        if cursor is None:
            # Kind "A" is fed one row late, by as much as the taps of its window stop above it.
            above = rows if self.kind == "B" else rows[:, : -self.dilation]
            padded = F.pad(above, (0, 0, 0, 0, self.reach, 0))
            sides = (0, self.reach)
            whole = convolve(padded, self.weight, self.bias, padding=sides, dilation=self.dilation)
            return whole[:, : rows.shape[1]]
        count = self.reach + (self.kind == "B")
        latest = cursor.cached(self, lambda: LatestRows(rows, count=count, reach=self.reach))
        return convolve(latest.add(rows), self.weight, self.bias, dilation=self.dilation)[:, 0]


def convolve(h: Tensor, weight: Tensor, bias: Tensor, **options: Any) -> Tensor:
    """`torch.nn.functional.conv2d` of channels-last features. (B, H, W, I) to (B, H', W', O)."""
    planes = F.conv2d(rearrange(h, "b h w i -> b i h w"), weight, bias, **options)
    return rearrange(planes, "b o h w -> b h w o").contiguous()


class LatestRows:
    """The rows that a layer was fed last along a walk, the newest at the end.

    Args:
        like: A row. (B, W, D).
        count: How many rows; those before the first are zero.
        reach: Zeros to the left and to the right of each.
    """

    def __init__(self, like: Tensor, *, count: int, reach: int) -> None:
        batch, width, features = like.shape
        self.rows = like.new_zeros(batch, count, width + 2 * reach, features)
        self.inner = slice(reach, reach + width)

    def add(self, row: Tensor) -> Tensor:
        """Takes a row (B, W, D). Returns all: (B, count, W + 2 reach, D), changed by the next."""
        self.rows[:, :-1] = self.rows[:, 1:].clone()
        self.rows[:, -1, self.inner] = row
        return self.rows

    def reorder(self, index: Tensor) -> None:
        """Lets image i go on as image `index[i]` was."""
        self.rows = reordered(self.rows, index)


class HorizontalConv(nn.Module):
    """Masked convolution along the own row, on top of what is known of each site before the row.

    Args:
        kind: "A" hides the own colour group of the own pixel (first layer); "B" shows it.
        in_channels: Features read per pixel, I, in `groups` equal runs.
        out_channels: Features written per pixel, O, in `groups` equal runs.
        kernel_size: Odd width of the full window, whose right half is hidden.
        groups: Colour groups.
        dilation: Pixels between the taps.

    References:
        Conditional Image Generation with PixelCNN Decoders (van den Oord et al., 2016),
        section 2.2 and figure 2. https://arxiv.org/abs/1606.05328
    """

    def __init__(
        self,
        kind: MaskKind,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        groups: int = 1,
        dilation: int = 1,
    ) -> None:
        super().__init__()
        size = (1, kernel_size)
        self.kind = kind
        self.conv = MaskedConv2d(
            kind, in_channels, out_channels, size, groups=groups, dilation=dilation
        )

    def forward(self, h: Tensor | None, context: Tensor, cursor: Cursor | None = None) -> Tensor:
        """Maps features (B, H, W, I) to (B, H, W, O), or a site (B, I / G) to (B, O / G).

        Args:
            h: As `MaskedConv2d` takes it.
            context: What is added to the output. (B, H, W, O); with a cursor, its row (B, W, O).
            cursor: Place of a walk.
        """
        if cursor is None:
            return self.conv(h) + context
        walk = cursor.cached(
            self, lambda: SiteConvWalk(self.conv.taps(), cursor, takes_context=True)
        )
        if cursor.index == 0:
            walk.add_to_row(context)
        return walk.step(h, cursor)
