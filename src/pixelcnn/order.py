"""The order of sub-pixels: which may depend on which, and the steps of a walk."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from torch import Tensor


class Site(NamedTuple):
    """One sub-pixel. `x[:, site.channel, site.row, site.column]`, or `x[(slice(None), *site)]`."""

    channel: int
    row: int
    column: int


class Front(NamedTuple):
    """The sub-pixels that one step of a walk predicts: one channel, in one row or several.

    Row `row + r` is at column `column - r × lag`: a slanted line through the image.

    Attributes:
        channel: Channel of all of them.
        row: The topmost row.
        column: Column in the topmost row.
        num_rows: Number of rows R.
        lag: Columns by which each row is behind the one above it.
    """

    channel: int
    row: int
    column: int
    num_rows: int = 1
    lag: int = 0

    def pixels_of(self, x: Tensor) -> Tensor:
        """The pixels of (B, D, H, W) under this front, as a view. (R, B, D)."""
        batch, features = x.shape[:2]
        to_image, to_feature, to_row, to_column = x.stride()
        return x.as_strided(
            (self.num_rows, batch, features),
            (to_row - self.lag * to_column, to_image, to_feature),
            x.storage_offset() + self.row * to_row + self.column * to_column,
        )

    def of(self, x: Tensor) -> Tensor:
        """The sub-pixels of (B, C, H, W) in this front, as a view. (R, B)."""
        return self.pixels_of(x)[:, :, self.channel]

    def sites(self) -> Iterator[Site]:
        """Its sub-pixels one by one, from the top.

        Example:
            >>> [tuple(site) for site in Front(0, row=2, column=5, num_rows=2, lag=4).sites()]
            [(0, 2, 5), (0, 3, 1)]
        """
        for r in range(self.num_rows):
            yield Site(self.channel, self.row + r, self.column - r * self.lag)


class Order(Protocol):
    """An order that visits every sub-pixel after those it depends on."""

    @property
    def lag(self) -> int:
        """Columns between neighbouring rows of a front; 0 if fronts have one row."""

    def fronts(self) -> Iterator[Front]:
        """The steps of the walk. Each sub-pixel is in exactly one."""


@dataclass(frozen=True)
class RasterOrder:
    """Rows from the top, columns from the left, then channels: R before G before B.

    Example:
        >>> [tuple(site) for site in RasterOrder(2, 1, 2)]
        [(0, 0, 0), (1, 0, 0), (0, 0, 1), (1, 0, 1)]
    """

    channels: int
    height: int
    width: int
    lag = 0

    def __iter__(self) -> Iterator[Site]:
        for row in range(self.height):
            for column in range(self.width):
                for channel in range(self.channels):
                    yield Site(channel, row, column)

    def __len__(self) -> int:
        return self.channels * self.height * self.width

    def index(self, site: Site) -> int:
        """Position of a sub-pixel in the order, from 0."""
        return (site.row * self.width + site.column) * self.channels + site.channel

    def precedes(self, earlier: Site, later: Site) -> bool:
        """Whether `later` may see `earlier`."""
        return self.index(earlier) < self.index(later)

    def fronts(self) -> Iterator[Front]:
        """One sub-pixel at a time."""
        for site in self:
            yield Front(*site)


@dataclass(frozen=True)
class WavefrontOrder:
    """Several rows at once, each some columns behind the row above it.

    For a network whose windows reach fewer than `lag` columns to the right this equals raster
    order: when a pixel is visited, all pixels in its receptive field have been. With H rows and W
    columns there are W + (H - 1) × lag steps instead of H × W, for each channel.

    Example:
        >>> [front.num_rows for front in WavefrontOrder(1, 3, 4, lag=2).fronts()]
        [1, 1, 2, 2, 2, 2, 1, 1]
    """

    channels: int
    height: int
    width: int
    lag: int

    def fronts(self) -> Iterator[Front]:
        """One slanted line after another."""
        for time in range(self.width + (self.height - 1) * self.lag):
            first = max(0, -((self.width - 1 - time) // self.lag))
            last = min(self.height - 1, time // self.lag)
            column = time - first * self.lag
            for channel in range(self.channels):
                yield Front(channel, first, column, last - first + 1, self.lag)
