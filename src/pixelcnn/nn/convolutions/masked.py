"""Masked convolution, over a whole image or along a walk."""

import math

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from pixelcnn.nn.convolutions.conv_walk import CausalTaps, prepare_walk
from pixelcnn.nn.convolutions.masks import MaskKind, raster_mask
from pixelcnn.nn.cursor import Cursor


class MaskedConv2d(nn.Module):
    """Convolution that sees only what comes before in raster order.

    Features are channels-last (see `pixelcnn.nn.cursor`). Output keeps the height and width.

    Args:
        kind: "A" hides the centre's own colour group (first layer); "B" shows it.
        in_channels: Features read per pixel, in `groups` equal runs.
        out_channels: Features written per pixel, in `groups` equal runs.
        kernel_size: Odd side of the window, or its odd height and width, in pixels.
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
        kernel_size: int | tuple[int, int],
        *,
        groups: int = 1,
        dilation: int = 1,
    ) -> None:
        super().__init__()
        size = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
        mask = raster_mask(kind, out_channels, in_channels, size, groups=groups)
        self.kind = kind
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = size
        self.groups = groups
        self.dilation = dilation
        self.register_buffer("mask", mask, persistent=False)
        self.weight = nn.Parameter(torch.empty_like(mask))
        self.bias = nn.Parameter(torch.empty(out_channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Samples weights uniformly with variance 1 / (number of inputs that the mask keeps)."""
        height, width = self.kernel_size
        before = height // 2 * width + width // 2
        # At the centre a colour group sees the earlier groups, with mask B also itself.
        groups_seen = (self.groups - 1) / 2 + (self.kind == "B")
        fan_in = self.in_channels * (before + groups_seen / self.groups)
        bound = math.sqrt(3 / max(1.0, fan_in))
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.zeros_(self.bias)
        with torch.no_grad():
            self.weight.mul_(self.mask)

    def masked_weight(self) -> Tensor:
        """The weight as used. Shape: (O, I, kh // 2 + 1, kw): rows below the centre are hidden."""
        # Masking the product, not `weight.data`: hidden weights then get zero gradient, so
        # they cannot drift into the optimiser's moments, the EMA or a saved checkpoint.
        seen = self.kernel_size[0] // 2 + 1
        return self.weight[:, :, :seen] * self.mask[:, :, :seen]

    def forward(self, h: Tensor | None, cursor: Cursor | None = None) -> Tensor:
        """Maps features (B, H, W, I) to (B, H, W, O), or a front (R × B, I/G) to (R × B, O/G).

        With a cursor, kind "A" takes the newest known front (None at the first) and kind "B" the
        current one.
        """
        if cursor is None:
            assert h is not None
            return self._whole(h)
        return cursor.cached(self, lambda: prepare_walk(self.taps(), cursor)).step(h, cursor)

    def taps(self) -> CausalTaps:
        """The weights as a walk needs them."""
        return CausalTaps(
            weight=self.masked_weight().detach(),
            bias=self.bias.detach(),
            groups=self.groups,
            dilation=self.dilation,
            sees_own_group=self.kind == "B",
        )

    def _whole(self, h: Tensor) -> Tensor:
        weight = self.masked_weight()
        height, width = self.kernel_size
        if self.kernel_size == (1, 1):
            return F.linear(h, weight[:, :, 0, 0], self.bias)
        up, left = height // 2 * self.dilation, width // 2 * self.dilation
        if height == 1:
            # All taps to the right are hidden: what is left is padded on its one side.
            weight = weight[..., : width // 2 + 1]
            h = F.pad(h, (0, 0, left, 0))
            left = 0
        planes = rearrange(h, "b h w i -> b i h w")
        # The window has only the rows down to its centre: symmetric padding then makes some
        # rows too many at the bottom, which is cheaper than padding one side by a copy.
        planes = F.conv2d(planes, weight, self.bias, padding=(up, left), dilation=self.dilation)
        planes = planes[:, :, : h.shape[1]]
        return rearrange(planes, "b o h w -> b h w o").contiguous()
