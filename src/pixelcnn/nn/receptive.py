"""Which pixels an output can see, computed from the windows of its layers.

Windows add up as sets of offsets (`through`). With strides it matters where an output stands; what
one place sees is then followed back through the network on a plane: booleans (2 N, 2 N), with
pixel (0, 0) in the middle, at (N, N). The plane of a level of half the resolution has half the
sides.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

from pixelcnn.nn.convolutions.masks import MaskKind

Offsets = frozenset[tuple[int, int]]
Seen: TypeAlias = Tensor
"""A plane."""

OWN: Offsets = frozenset({(0, 0)})


class ReceptiveField(NamedTuple):
    """The pixels that an output can see, relative to its own.

    Attributes:
        rows_above: Rows seen above the own one; `math.inf` for all.
        columns_left: Columns seen to the left; `math.inf` for all.
        columns_right: Columns seen to the right, in rows above; `math.inf` for all.
        offsets: Exactly the pixels seen, as (rows down, columns right), but for what `spread` adds.
            (0, 0) stands for the earlier channels of the own pixel.
        sees_all_past: Whether attention sees every earlier sub-pixel, wherever it is. All else
            that is stated here is of the windows alone.
        by_place: Where strides make pixels see other offsets at other places: what is seen by row
            and column, modulo the number of either. Planes whose middle is the place itself.
            `offsets` are then all of them together.
        spread: Where a recurrent state is carried from row to row: the columns to either side by
            which it spreads in each. What is seen in `offsets` is seen again n rows further up,
            up to n × `spread` columns away, for every n. `math.inf` for all columns of all rows
            above. None: nothing is carried.
    """

    rows_above: float
    columns_left: float
    columns_right: float
    offsets: Offsets
    sees_all_past: bool = False
    by_place: tuple[tuple[Seen, ...], ...] = ()
    spread: float | None = None

    @property
    def is_bounded(self) -> bool:
        """Whether a pixel sees a window of limited size, however large the image is."""
        return not self.sees_all_past and self.spread is None

    def describe(self) -> str:
        """The field in words.

        Example:
            >>> ReceptiveField.of([window("A", 7)]).describe()
            '3 rows above, 3 columns to the left and 3 to the right'
        """
        if self.sees_all_past:
            return "all earlier pixels"
        counts = ["all" if n == math.inf else str(n) for n in self[:3]]
        return (
            f"{counts[0]} rows above, {counts[1]} columns to the left and {counts[2]} to the right"
        )

    def mask(self, row: int, column: int, height: int, width: int) -> Seen:
        """The pixels of an image that one of its pixels sees, itself for its earlier channels.

        Args:
            row: Of the pixel that sees.
            column: Of the pixel that sees.
            height: Of the image.
            width: Of the image.

        Returns:
            (H, W), bool.

        Example:
            >>> carried = ReceptiveField.of([frozenset({(0, -1)})], spread=1)
            >>> carried.mask(2, 2, height=3, width=5).int()
            tensor([[1, 1, 1, 1, 0],
                    [1, 1, 1, 0, 0],
                    [0, 1, 0, 0, 0]], dtype=torch.int32)
        """
        seen = torch.zeros(height, width, dtype=torch.bool)
        if self.sees_all_past:
            seen.view(-1)[: row * width + column] = True
            seen[row, column] = True
            return seen
        offsets = torch.tensor(sorted(self.at(row, column))).view(-1, 2)
        rows, columns = offsets[:, :1] + row, offsets[:, 1:] + column
        farthest = width + int(offsets.abs().max())
        for up in range(1 if self.spread is None else height):
            reach = int(min(up * self.spread, farthest)) if up and self.spread else 0
            shifted = columns + torch.arange(-reach, reach + 1)
            at = (rows - up).expand_as(shifted)
            inside = (at >= 0) & (at < height) & (shifted >= 0) & (shifted < width)
            seen[at[inside], shifted[inside]] = True
        return seen

    def at(self, row: int, column: int) -> Offsets:
        """The offsets that the pixel at this place sees, but for what `spread` adds."""
        if not self.by_place:
            return self.offsets
        places = self.by_place[row % len(self.by_place)]
        return offsets_of(places[column % len(places)])

    @classmethod
    def of(
        cls,
        windows: Iterable[Offsets],
        *,
        sees_all_past: bool = False,
        spread: float | None = None,
    ) -> "ReceptiveField":
        """The field of layers with these windows, one after another.

        Example:
            >>> field = ReceptiveField.of([window("A", 7), window("B", 3)])
            >>> field.rows_above, field.columns_left, field.columns_right
            (4, 4, 4)
            >>> (-1, 4) in field.offsets  # a blind spot: one row up is one step to the right
            False
        """
        field = OWN
        for seen in windows:
            field = through(field, seen)
        return cls.covering(field, sees_all_past=sees_all_past, spread=spread)

    @classmethod
    def covering(
        cls, offsets: Offsets, *, sees_all_past: bool = False, spread: float | None = None
    ) -> "ReceptiveField":
        """The field of exactly these pixels, wherever there are paths of several kinds."""
        rows, columns = [r for r, _ in offsets], [c for _, c in offsets]
        above: float = -min(rows) if spread is None else math.inf
        left: float = math.inf if spread else -min(columns)
        right: float = math.inf if spread else max(columns)
        return cls(above, left, right, offsets, sees_all_past, spread=spread)

    @classmethod
    def of_places(cls, places: Iterable[Iterable[Seen]]) -> "ReceptiveField":
        """The field of a network with strides, see `by_place`. Planes of one size."""
        by_place = tuple(tuple(row) for row in places)
        together = torch.stack([plane for row in by_place for plane in row]).any(0)
        return cls.covering(offsets_of(together))._replace(by_place=by_place)


def through(field: Offsets, seen: Offsets) -> Offsets:
    """What is seen through a window `seen` upon features that see `field`.

    Example:
        >>> sorted(through(frozenset({(-1, 0)}), frozenset({(0, -1), (0, 0)})))
        [(-1, -1), (-1, 0)]
    """
    return frozenset((r + s, c + d) for r, c in field for s, d in seen)


def window(
    kind: MaskKind,
    kernel_size: int | tuple[int, int],
    *,
    dilation: int = 1,
    groups: int = 1,
) -> Offsets:
    """The pixels that one masked convolution sees.

    Args:
        kind: "A" hides the own pixel, except for earlier colour groups; "B" shows it.
        kernel_size: Odd side of the window, or its odd height and width.
        dilation: Pixels between the taps.
        groups: Colour groups.
    """
    height, width = (kernel_size,) * 2 if isinstance(kernel_size, int) else kernel_size
    columns = range(-(width // 2), width // 2 + 1)
    above = {(row, column) for row in range(-(height // 2), 0) for column in columns}
    left = {(0, column) for column in columns if column < 0}
    own = {(0, 0)} if kind == "B" or groups > 1 else set()
    return frozenset((r * dilation, c * dilation) for r, c in above | left | own)


def window_above(kind: MaskKind, kernel_size: int, *, dilation: int = 1) -> Offsets:
    """The pixels that one convolution of a vertical stack sees.

    Args:
        kind: "A" hides the own row; "B" shows it.
        kernel_size: Odd side of the full window, whose lower half is cut off.
        dilation: Pixels between the taps.
    """
    reach = kernel_size // 2
    columns = range(-reach, reach + 1)
    rows = range(-reach, 1 if kind == "B" else 0)
    return frozenset((r * dilation, c * dilation) for r in rows for c in columns)


def place(row: int, column: int, reach: int) -> Seen:
    """The plane on which one pixel is seen, for layers that reach at most so many pixels far."""
    plane = torch.zeros(2 * reach, 2 * reach, dtype=torch.bool)
    plane[reach + row, reach + column] = True
    return plane


def widen(plane: Seen, seen: Offsets) -> Seen:
    """What is seen through a window upon features, where so much of its outputs is seen."""
    wide = torch.zeros_like(plane)
    for shift in seen:
        wide |= plane.roll(shift, (0, 1))
    return wide


def upsample(plane: Seen) -> Seen:
    """From a level of half the resolution to where its pixels stand."""
    fine = plane.new_zeros(2 * plane.shape[0], 2 * plane.shape[1])
    fine[::2, ::2] = plane
    return fine


def tiles(plane: Seen, *, next_column: bool = False) -> Seen:
    """To a level of half the resolution: where any of the four pixels of a tile is seen.

    Args:
        plane: Of the finer level.
        next_column: Whether pixels of odd columns also see the tile to the right.
    """
    size = plane.shape[0] // 2, 2, plane.shape[1] // 2, 2
    by_column = plane.view(size).any(1)
    low = by_column.any(2)
    return low | by_column[:, :, 1].roll(1, 1) if next_column else low


def offsets_of(plane: Seen) -> Offsets:
    """The pixels seen on a plane, relative to its middle.

    Example:
        >>> sorted(offsets_of(widen(place(0, 0, 2), frozenset({(-1, 1), (0, -1)}))))
        [(-1, 1), (0, -1)]
    """
    middle = plane.shape[0] // 2
    return frozenset((row, column) for row, column in (plane.nonzero() - middle).tolist())
