"""The order in which sub-pixels are predicted: the oracle of causality."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple


class Site(NamedTuple):
    """One sub-pixel. `x[:, site.channel, site.row, site.column]`, or `x[(slice(None), *site)]`."""

    channel: int
    row: int
    column: int


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
