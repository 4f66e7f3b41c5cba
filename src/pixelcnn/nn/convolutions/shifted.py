"""Weight-normalised convolutions whose windows end at the own pixel: nothing needs hiding."""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from pixelcnn.nn.convolutions.conv_walk import CausalTaps, ConvWalk, SiteConvWalk, prepare_walk
from pixelcnn.nn.convolutions.masks import MaskKind, raster_mask
from pixelcnn.nn.convolutions.stacks import LatestRows, convolve
from pixelcnn.nn.convolutions.weight_norm import WeightNormed
from pixelcnn.nn.cursor import Cursor


class DownConv(WeightNormed):
    """Down-shifted convolution: the own row and those above it, columns to both sides.

    It is for a stream that is fed the rows above alone, so nothing is masked, whatever the
    colours. Along a walk it computes a whole row when the row begins.

    Args:
        in_channels: Features read per pixel, I.
        out_channels: Features written per pixel, O.
        kernel_size: Rows of the window, the own one last, and its odd number of columns.
        stride: Rows and columns from output to output. Output (i, j) has its window at
            (i × stride, j × stride); there are ceil(H / stride) × ceil(W / stride).
        init_scale: See `pixelcnn.nn.WeightNormed`.

    References:
        PixelCNN++ (Salimans et al., 2017), section 2.3 and figure 2.
        https://arxiv.org/abs/1701.05517

    Example:
        >>> import torch
        >>> DownConv(4, 8, stride=2)(torch.zeros(1, 5, 7, 4)).shape
        torch.Size([1, 3, 4, 8])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: tuple[int, int] = (2, 3),
        *,
        stride: int = 1,
        init_scale: float = 1.0,
    ) -> None:
        assert kernel_size[1] % 2, "a window without a middle column"
        super().__init__((out_channels, in_channels, *kernel_size), init_scale=init_scale)
        self.kernel_size = kernel_size
        self.stride = stride

    def forward(self, rows: Tensor, cursor: Cursor | None = None) -> Tensor:
        """Maps features (B, H, W, I) to (B, H, W, O), or a row (B, W, I) to (B, W, O).

        With a cursor, once for each of its rows; with a stride, at every so many rows, and
        the rows between go to `keep`.
        """
        height, width = self.kernel_size
        if self.kernel_size == (1, 1) and self.stride == 1:
            return F.linear(rows, self.weight()[:, :, 0, 0], self.bias)
        if cursor is None:
            reach = width // 2
            padded = F.pad(rows, (0, 0, reach, reach, height - 1, 0))
            return convolve(padded, self.weight(), self.bias, stride=self.stride)
        walk = self._walk(rows, cursor)
        rows = walk.latest.add(rows)
        return convolve(rows, walk.weight, self.bias, stride=self.stride)[:, 0]

    def keep(self, rows: Tensor, cursor: Cursor) -> None:
        """Stores a row (B, W, I) for the rows to come."""
        self._walk(rows, cursor).latest.add(rows)

    def _walk(self, rows: Tensor, cursor: Cursor) -> "DownConvWalk":
        height, width = self.kernel_size
        return cursor.cached(
            self,
            lambda: DownConvWalk(
                self.weight().detach(), LatestRows(rows, count=height, reach=width // 2)
            ),
        )


@dataclass(frozen=True)
class DownConvWalk:
    """A down-shifted convolution along a walk.

    Attributes:
        weight: As the convolution multiplies it.
        latest: The rows of its window.
    """

    weight: Tensor
    latest: LatestRows

    def reorder(self, index: Tensor) -> None:
        """Lets image i go on as image `index[i]` was."""
        self.latest.reorder(index)


class DownRightConv(WeightNormed):
    """Down-right-shifted convolution: the own pixel, those to its left, and the rows above them.

    Args:
        in_channels: Features read per pixel, I, in `groups` equal runs.
        out_channels: Features written per pixel, O, in `groups` equal runs.
        kernel_size: Rows and columns of the window, the own pixel in its last corner.
        kind: "A" hides the own colour group of the own pixel (first layer); "B" shows it.
        groups: Colour groups.
        stride: As in `DownConv`.
        init_scale: See `pixelcnn.nn.WeightNormed`.

    References:
        PixelCNN++ (Salimans et al., 2017), section 2.3 and figure 2.
        https://arxiv.org/abs/1701.05517

    Example:
        >>> conv = DownRightConv(6, 9, (2, 2), groups=3)
        >>> conv.weight()[0, :, 1, 1].count_nonzero().item()  # R sees 2 features of its pixel: R
        2
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: tuple[int, int] = (2, 2),
        *,
        kind: MaskKind = "B",
        groups: int = 1,
        stride: int = 1,
        init_scale: float = 1.0,
    ) -> None:
        height, width = kernel_size
        mask: Tensor | None = None
        if groups > 1 or kind == "A":
            around = (2 * height - 1, 2 * width - 1)
            mask = raster_mask(kind, out_channels, in_channels, around, groups=groups)
            mask = mask[:, :, :height, :width].contiguous()
        super().__init__(
            (out_channels, in_channels, height, width), mask=mask, init_scale=init_scale
        )
        self.kernel_size = kernel_size
        self.kind = kind
        self.groups = groups
        self.stride = stride

    def forward(self, h: Tensor | None, cursor: Cursor | None = None) -> Tensor:
        """Maps features (B, H, W, I) to (B, H, W, O), or a site (B, I / G) to (B, O / G).

        With a cursor, kind "A" takes the newest known site (None at the first) and kind "B" the
        current one. With a stride, at sites with work; those between go to `keep`.
        """
        height, width = self.kernel_size
        if cursor is not None:
            return self._walk(cursor).step(h, cursor)
        assert h is not None
        if self.kernel_size == (1, 1) and self.stride == 1:
            return F.linear(h, self.weight()[:, :, 0, 0], self.bias)
        padded = F.pad(h, (0, 0, width - 1, 0, height - 1, 0))
        return convolve(padded, self.weight(), self.bias, stride=self.stride)

    def keep(self, h: Tensor, cursor: Cursor) -> None:
        """Stores the features of a site (B, I / G) for the sites to come."""
        walk = self._walk(cursor)
        assert isinstance(walk, SiteConvWalk)
        walk.write(h, cursor)

    def _walk(self, cursor: Cursor) -> ConvWalk:
        assert cursor.lag == 0, "shifted convolutions are walked one site at a time"
        return cursor.cached(self, lambda: prepare_walk(self._taps(), cursor))

    def _taps(self) -> CausalTaps:
        # A walk has windows with a middle column: what lies to the right of the own pixel is zero.
        return CausalTaps(
            weight=F.pad(self.weight().detach(), (0, self.kernel_size[1] - 1)),
            bias=self.bias.detach(),
            groups=self.groups,
            dilation=1,
            sees_own_group=self.kind == "B",
        )
