"""Which pixels an output can see, computed from the windows of its layers."""

from collections.abc import Iterable
from typing import NamedTuple

from pixelcnn.nn.masks import MaskKind

Offsets = frozenset[tuple[int, int]]

OWN: Offsets = frozenset({(0, 0)})


class ReceptiveField(NamedTuple):
    """The pixels that an output can see, relative to its own.

    Attributes:
        rows_above: Rows seen above the own one.
        columns_left: Columns seen to the left.
        columns_right: Columns seen to the right, in rows above.
        offsets: Exactly the pixels seen, as (rows down, columns right). (0, 0) stands for the
            earlier channels of the own pixel.
        sees_all_past: Whether attention sees every earlier sub-pixel, wherever it is. All else
            that is stated here is of the windows alone.
    """

    rows_above: int
    columns_left: int
    columns_right: int
    offsets: Offsets
    sees_all_past: bool = False

    @classmethod
    def of(cls, windows: Iterable[Offsets], *, sees_all_past: bool = False) -> "ReceptiveField":
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
        return cls.covering(field, sees_all_past=sees_all_past)

    @classmethod
    def covering(cls, offsets: Offsets, *, sees_all_past: bool = False) -> "ReceptiveField":
        """The field of exactly these pixels, wherever there are paths of several kinds."""
        rows, columns = [r for r, _ in offsets], [c for _, c in offsets]
        return cls(-min(rows), -min(columns), max(columns), offsets, sees_all_past)


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
