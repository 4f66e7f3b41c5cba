"""Weight-normalised transposed convolutions: from a level of half the resolution back."""

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from pixelcnn.nn.convolutions.masks import raster_mask
from pixelcnn.nn.convolutions.weight_norm import WeightNormed
from pixelcnn.nn.cursor import Cursor

STRIDE = 2


class DownTransposed(WeightNormed):
    """The transpose of a strided `DownConv`: a row reads the row of half its number.

    Even columns read one column of the coarser level, odd ones that and the next. It is for a
    stream that is fed the rows above alone; along a walk it computes a whole row.

    Args:
        in_channels: Features read per pixel, I.
        out_channels: Features written per pixel, O.

    References:
        PixelCNN++ (Salimans et al., 2017), section 2.3 and figure 2.
        https://arxiv.org/abs/1701.05517

    Example:
        >>> DownTransposed(8, 4)(torch.zeros(1, 3, 4, 8), (5, 7)).shape
        torch.Size([1, 5, 7, 4])
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__((out_channels, in_channels, STRIDE, 3))

    def forward(self, low: Tensor, size: tuple[int, int], cursor: Cursor | None = None) -> Tensor:
        """Maps features (B, ceil(H / 2), ceil(W / 2), I) to (B, H, W, O) of `size` (H, W).

        With a cursor of the finer level, maps a row (B, ceil(W / 2), I) to its row (B, W, O).
        """
        height, width = size
        if cursor is not None:
            weight = cursor.cached(self, lambda: self.weight().detach())
            weight = weight[:, :, cursor.front.row % STRIDE]
            by_tap = F.linear(low, rearrange(weight, "o i b -> (b o) i"))
            columns = self._interleave(rearrange(by_tap, "n w (b o) -> n w b o", b=3))
            return rearrange(columns, "n w c o -> n (w c) o")[:, :width] + self.bias
        by_tap = F.linear(low, rearrange(self.weight(), "o i a b -> (b a o) i"))
        rows = rearrange(by_tap, "n h w (b a o) -> (n h) w b (a o)", b=3, a=STRIDE)
        columns = rearrange(
            self._interleave(rows), "(n h) w c (a o) -> n (h a) (w c) o", a=STRIDE, n=len(low)
        )
        return columns[:, :height, :width] + self.bias

    @staticmethod
    def _interleave(by_tap: Tensor) -> Tensor:
        """Sums what the three taps give each column: (N, w, 3, O) to even, odd (N, w, 2, O)."""
        left, middle, right = by_tap.unbind(2)
        # The left tap of a column writes to the odd one before it.
        odd = right + F.pad(left[:, 1:], (0, 0, 0, 1))
        return torch.stack([middle, odd], 2)


class DownRightTransposed(WeightNormed):
    """The transpose of a strided `DownRightConv`: a pixel reads that of half its row and column.

    Four pixels read one, each with weights of its own. The first of them is where the coarser
    pixel stands, and sees of it its own and earlier colours; the others see all of it.

    Args:
        in_channels: Features read per pixel, I, in `groups` equal runs.
        out_channels: Features written per pixel, O, in `groups` equal runs.
        groups: Colour groups.

    References:
        PixelCNN++ (Salimans et al., 2017), section 2.3 and figure 2.
        https://arxiv.org/abs/1701.05517

    Example:
        >>> DownRightTransposed(8, 4)(torch.zeros(1, 3, 4, 8), (5, 7)).shape
        torch.Size([1, 5, 7, 4])
    """

    def __init__(self, in_channels: int, out_channels: int, *, groups: int = 1) -> None:
        mask: Tensor | None = None
        if groups > 1:
            mask = torch.ones(out_channels, in_channels, STRIDE, STRIDE)
            own = raster_mask("B", out_channels, in_channels, (1, 1), groups=groups)
            mask[:, :, 0, 0] = own[:, :, 0, 0]
        super().__init__((out_channels, in_channels, STRIDE, STRIDE), mask=mask)
        self.groups = groups

    def forward(self, low: Tensor, size: tuple[int, int], cursor: Cursor | None = None) -> Tensor:
        """Maps features (B, ceil(H / 2), ceil(W / 2), I) to (B, H, W, O) of `size` (H, W).

        With a cursor of the finer level, maps what is known of the coarser row
        (B, ceil(W / 2), I) to its site (B, O / G).
        """
        if cursor is not None:
            products = cursor.cached(self, self._products)
            row, column = cursor.front.row, cursor.front.column
            weight, bias = products[row % STRIDE, column % STRIDE, cursor.group]
            return torch.addmm(bias, low[:, column // STRIDE, : len(weight)], weight)
        height, width = size
        by_tap = F.linear(low, rearrange(self.weight(), "o i a c -> (a c o) i"))
        pixels = rearrange(by_tap, "n h w (a c o) -> n (h a) (w c) o", a=STRIDE, c=STRIDE)
        return pixels[:, :height, :width] + self.bias

    def _products(self) -> dict[tuple[int, int, int], tuple[Tensor, Tensor]]:
        """Weights (visible features, O / G) and bias by odd row, odd column and colour group."""
        weight, products = self.weight().detach(), {}
        num_reads, num_writes = weight.shape[1] // self.groups, weight.shape[0] // self.groups
        for group in range(self.groups):
            run = slice(group * num_writes, (group + 1) * num_writes)
            for a in range(STRIDE):
                for c in range(STRIDE):
                    is_own = (a, c) == (0, 0)
                    visible = (group + 1) * num_reads if is_own else weight.shape[1]
                    taps = weight[run, :visible, a, c].T.contiguous()
                    products[a, c, group] = taps, self.bias.detach()[run]
        return products
