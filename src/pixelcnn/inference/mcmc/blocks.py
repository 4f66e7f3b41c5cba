"""Which sub-pixels may be updated at the same time, and what of an image must be evaluated for it.

The probability of an image is a product of factors, one for each sub-pixel: p(x_j | what j sees).
Changing sub-pixel i changes the factors of those that see it, and no others. Two sub-pixels that
are in no factor together can be updated at the same time: given all others they are independent.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from pixelcnn.nn import ReceptiveField
from pixelcnn.order import Site


class SiteBlock(NamedTuple):
    """Sub-pixels of one channel, no two of which are in one factor.

    Attributes:
        channel: Their channel.
        rows: Their rows. (S,), int64.
        columns: Their columns. (S,), int64.
        window: Rows and columns that must be evaluated to know all factors that they change.
        owners: Which of them each sub-pixel of the window depends on, from 0 to S - 1; S for none.
            (C, h, w), int64.
    """

    channel: int
    rows: Tensor
    columns: Tensor
    window: tuple[slice, slice]
    owners: Tensor

    def __len__(self) -> int:
        return len(self.rows)

    def of(self, x: Tensor) -> Tensor:
        """The sub-pixels of the block in (…, C, H, W), as a copy. (…, S)."""
        return x[..., self.channel, self.rows, self.columns]

    def crop(self, x: Tensor) -> Tensor:
        """The window of (…, H, W), as a view."""
        rows, columns = self.window
        return x[..., rows, columns]

    def put(self, window: Tensor, levels: Tensor) -> None:
        """Writes the levels (…, S) of the block into a window (…, C, h, w)."""
        top, left = self.window[0].start, self.window[1].start
        window[..., self.channel, self.rows - top, self.columns - left] = levels

    def sums(self, factors: Tensor) -> Tensor:
        """Adds up the factors of a window that each of the sub-pixels is in.

        Args:
            factors: Log-probabilities by sub-pixel. (…, C, h, w).

        Returns:
            (…, S).
        """
        per_owner = factors.new_zeros(*factors.shape[:-3], len(self) + 1)
        per_owner.index_add_(-1, self.owners.flatten(), factors.flatten(-3))
        return per_owner[..., :-1]


class Blocks:
    """Divides the sub-pixels of an image into blocks.

    Everything is bounded by rectangles: sub-pixel (i, j) changes factors of rows i to i + r and
    columns j - right to j + left at most, where r, left and right are how far the model sees.
    Attention that sees all of the past makes every block a single sub-pixel, and every window the
    whole image.

    Args:
        field: What the model sees.
        channels: C.
        height: H.
        width: W.
        device: Where the indices are needed.

    References:
        Parallel Gibbs Sampling: From Colored Fields to Thin Junction Trees (Gonzalez et al.,
        2011), section 4: sub-pixels of one colour are updated together.

    Example:
        >>> from pixelcnn.nn import window
        >>> field = ReceptiveField.of([window("A", 3)])  # one row up, one column to either side
        >>> blocks = Blocks(field, 1, 4, 6)
        >>> [block.columns.tolist() for block in blocks.covering(torch.ones(1, 4, 6) > 0)][:3]
        [[0, 3, 0, 3], [1, 4, 1, 4], [2, 5, 2, 5]]
        >>> blocks.single(Site(0, 1, 3)).owners[0]  # 0: what it changes, in rows 0 to 2
        tensor([[1, 1, 1, 1, 1],
                [1, 1, 0, 0, 1],
                [1, 0, 0, 0, 1]])
    """

    def __init__(
        self,
        field: ReceptiveField,
        channels: int,
        height: int,
        width: int,
        *,
        device: torch.device | str = "cpu",
    ) -> None:
        self.channels, self.height, self.width = channels, height, width
        self.device = torch.device(device)
        self.below, self.left, self.right = height - 1, width - 1, width - 1
        if not field.sees_all_past:
            self.below = int(min(field.rows_above, self.below))
            self.left = int(min(field.columns_left, self.left))
            self.right = int(min(field.columns_right, self.right))
        # A window of a network with strides begins where a tile of its coarsest level does.
        places = field.by_place
        self.tile = (len(places), len(places[0])) if places else (1, 1)

    def single(self, site: Site) -> SiteBlock:
        """The block of one sub-pixel."""
        return self._block(site.channel, torch.tensor([[site.row, site.column]]))

    def covering(self, free: Tensor) -> list[SiteBlock]:
        """Blocks that together are exactly the sub-pixels that are free.

        Args:
            free: (C, H, W), bool.
        """
        return list(self._lattices(free.cpu()))

    def _lattices(self, free: Tensor) -> Iterator[SiteBlock]:
        # Two sub-pixels of one factor are at most `below` rows and `left + right` columns apart.
        down, across = self.below + 1, self.left + self.right + 1
        for row in range(min(down, free.shape[1])):
            for column in range(min(across, free.shape[2])):
                for channel in range(len(free)):
                    pixels = free[channel, row::down, column::across].nonzero()
                    if len(pixels):
                        start = torch.tensor([row, column])
                        yield self._block(channel, start + pixels * torch.tensor([down, across]))

    def _block(self, channel: int, pixels: Tensor) -> SiteBlock:
        window = self._window(pixels)
        top, left = window[0].start, window[1].start
        size = window[0].stop - top, window[1].stop - left
        owners = torch.full((self.channels, *size), len(pixels))
        for number, (row, column) in enumerate(pixels.tolist()):
            row, column = row - top, column - left
            seen_from = slice(max(0, column - self.right), column + self.left + 1)
            owners[:, row + 1 : row + self.below + 1, seen_from] = number
            owners[:, row, column + 1 : column + self.left + 1] = number
            owners[channel:, row, column] = number
        rows, columns = pixels.to(self.device).unbind(1)
        return SiteBlock(channel, rows, columns, window, owners.to(self.device))

    def _window(self, pixels: Tensor) -> tuple[slice, slice]:
        """The rectangle of all that is seen by all that the pixels change, in whole tiles."""
        reach = self.below, self.left + self.right
        first, last = pixels.amin(0).tolist(), pixels.amax(0).tolist()
        rows, columns = (
            _whole_tiles(first[i] - reach[i], last[i] + reach[i], size, self.tile[i])
            for i, size in enumerate((self.height, self.width))
        )
        return rows, columns


def _whole_tiles(first: int, last: int, size: int, tile: int) -> slice:
    """Widens the range from `first` to `last` to whole tiles, within the image."""
    start = max(0, first) // tile * tile
    stop = -(-(min(last, size - 1) + 1) // tile) * tile
    return slice(start, min(stop, size))
