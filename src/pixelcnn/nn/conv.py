"""Masked convolution, over a whole image or one sub-pixel at a time."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from pixelcnn.nn.cursor import Cursor
from pixelcnn.nn.masks import MaskKind, raster_mask


class MaskedConv2d(nn.Module):
    """Convolution that sees only what comes before in raster order.

    Features are channels-last (see `pixelcnn.nn.cursor`). Output keeps the height and width.

    Args:
        kind: "A" hides the centre's own colour group (first layer); "B" shows it.
        in_channels: Features read per pixel, in `groups` equal runs.
        out_channels: Features written per pixel, in `groups` equal runs.
        kernel_size: Odd side of the window, in pixels.
        groups: Colour groups (not the groups of `torch.nn.Conv2d`).
        dilation: Pixels between the taps of the window.

    References:
        Pixel Recurrent Neural Networks (van den Oord et al., 2016), section 3.4.
        https://arxiv.org/abs/1601.06759

    Example:
        >>> conv = MaskedConv2d("A", 1, 8, 7)
        >>> conv(torch.zeros(2, 28, 28, 1)).shape
        torch.Size([2, 28, 28, 8])
    """

    mask: Tensor

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
        mask = raster_mask(
            kind, out_channels, in_channels, (kernel_size, kernel_size), groups=groups
        )
        self.kind = kind
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.groups = groups
        self.dilation = dilation
        self.reach = kernel_size // 2 * dilation  # pixels seen to the left, above and above right
        self.register_buffer("mask", mask, persistent=False)
        self.weight = nn.Parameter(torch.empty_like(mask))
        self.bias = nn.Parameter(torch.empty(out_channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws weights uniformly with variance 1 / (number of inputs that the mask keeps)."""
        fan_in = max(1.0, self.mask.sum().item() / self.out_channels)
        bound = math.sqrt(3 / fan_in)
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.zeros_(self.bias)
        with torch.no_grad():
            self.weight *= self.mask

    def masked_weight(self) -> Tensor:
        """The weight as used. Shape: (O, I, kh // 2 + 1, kw): rows below the centre are hidden."""
        # Masking the product, not `weight.data`: hidden weights then get zero gradient, so
        # they cannot drift into the optimiser's moments, the EMA or a saved checkpoint.
        seen = self.kernel_size // 2 + 1
        return self.weight[:, :, :seen] * self.mask[:, :, :seen]

    def forward(self, h: Tensor | None, cursor: Cursor | None = None) -> Tensor:
        """Maps features (B, H, W, I) to (B, H, W, O), or one site (B, I/G) to (B, O/G).

        With a cursor, kind "A" takes the newest known sub-pixel (None at the first site) and
        kind "B" the current one.
        """
        if cursor is not None:
            state = cursor.cache(self, lambda: _SiteConv.of(self, cursor))
            return state.step(h, cursor)
        assert h is not None
        return self._whole(h)

    def _whole(self, h: Tensor) -> Tensor:
        weight = self.masked_weight()
        if self.kernel_size == 1:
            return F.linear(h, weight[:, :, 0, 0], self.bias)
        planes = rearrange(h, "b h w i -> b i h w")
        # The window has only the rows down to its centre: symmetric padding then makes some
        # rows too many at the bottom, which is cheaper than padding one side by a copy.
        planes = F.conv2d(planes, weight, self.bias, padding=self.reach, dilation=self.dilation)
        planes = planes[:, :, : h.shape[1]]
        return rearrange(planes, "b o h w -> b h w o").contiguous()


@dataclass
class _SiteConv:
    """A masked convolution prepared for one walk.

    Its window is split once into the rows above, whose sum is ready for a whole row when the row
    begins, and the taps to the left and at the centre: one contiguous slice of the current row.

    Attributes:
        kind: As the layer's.
        dilation: As the layer's.
        reach: As the layer's.
        above_weight: Taps in the rows above. Shape: (O, I, kh // 2, kw).
        left_weights: For each colour group, its taps to the left and at the centre, in the order
            of the slice that they multiply. Shapes: (visible features, O / G).
        bias: Shape: (O,).
        rows: The rows above and, last, the current one, padded left and right.
            Shape: (B, reach + 1, W + 2 reach, I).
        above: Sum of `bias` and what the rows above give to each site of the current row.
            Shape: (B, W, O), or (1, O) for a window of one row.
    """

    kind: MaskKind
    dilation: int
    reach: int
    above_weight: Tensor
    left_weights: list[Tensor]
    bias: Tensor
    rows: Tensor
    above: Tensor

    @classmethod
    def of(cls, layer: MaskedConv2d, cursor: Cursor) -> "_SiteConv":
        weight = layer.masked_weight()
        middle = layer.kernel_size // 2
        left = rearrange(weight[:, :, middle, : middle + 1], "o i k -> o (k i)")
        reads, writes = layer.in_channels // layer.groups, layer.out_channels // layer.groups
        left_weights = []
        for group in range(layer.groups):
            num_groups_seen = group + (layer.kind == "B")
            visible = middle * layer.in_channels + num_groups_seen * reads
            own = left[group * writes : (group + 1) * writes, :visible]
            left_weights.append(own.T.contiguous())
        width = cursor.width + 2 * layer.reach
        rows = weight.new_zeros(cursor.batch_size, layer.reach + 1, width, layer.in_channels)
        above_weight = weight[:, :, :middle].contiguous(memory_format=torch.channels_last)
        bias = layer.bias.detach()
        return cls(
            layer.kind,
            layer.dilation,
            layer.reach,
            above_weight,
            left_weights,
            bias,
            rows,
            bias[None],
        )

    def step(self, h: Tensor | None, cursor: Cursor) -> Tensor:
        if h is not None and self.reach == 0 and len(self.left_weights) == 1:
            return torch.addmm(self.bias, h, self.left_weights[0])  # 1×1, one colour group
        if self.kind == "A":
            self._write(h, cursor.newest, cursor)
            if cursor.begins_row:
                self._begin_row()
        else:
            if cursor.begins_row:
                self._begin_row()
            self._write(h, (cursor.row, cursor.column, cursor.group), cursor)
        return self._read(cursor)

    def _write(
        self, h: Tensor | None, place: tuple[int, int, int] | None, cursor: Cursor
    ) -> None:
        if h is None or place is None:
            return
        _, column, group = place
        column = column + self.reach if self.reach else 0
        if cursor.groups == 1:
            self.rows[:, -1, column] = h
        else:
            size = h.shape[1]
            self.rows[:, -1, column, group * size : (group + 1) * size] = h

    def _begin_row(self) -> None:
        if not self.reach:
            return
        taps = self.above_weight.shape[2]
        self.rows[:, :-1] = self.rows[:, 1:].clone()
        past = self.rows[:, : (taps - 1) * self.dilation + 1]
        past = rearrange(past, "b h w i -> b i h w")
        sums = F.conv2d(past, self.above_weight, self.bias, dilation=self.dilation)
        self.above = rearrange(sums, "b o 1 w -> b w o")

    def _read(self, cursor: Cursor) -> Tensor:
        weight = self.left_weights[cursor.group]
        column = cursor.column if self.reach else 0
        window = self.rows[:, -1, column : column + self.reach + 1 : self.dilation]
        window = window.flatten(1)[:, : len(weight)]
        above = self.above[:, cursor.column] if self.reach else self.above
        if cursor.groups > 1:
            above = above[:, cursor.run(above.shape[1])]
        return torch.addmm(above, window, weight)
