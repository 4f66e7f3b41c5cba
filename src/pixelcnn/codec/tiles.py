"""Windows of a large image, each of the size that the model was trained on."""

from collections import defaultdict
from typing import NamedTuple


class Window(NamedTuple):
    """A part of an image that is coded in one walk.

    Attributes:
        row: Its first row.
        column: Its first column.
        known_rows: Rows at its top that earlier windows have coded: the model sees them.
        known_columns: Columns at its left, likewise.
    """

    row: int
    column: int
    known_rows: int
    known_columns: int


class Span(NamedTuple):
    """A window along one axis: where it starts, how much of it is known, how many it waits for."""

    start: int
    known: int
    rank: int


def spans(length: int, side: int, context: int) -> list[Span]:
    """Windows along one axis, which overlap by at least `context` pixels.

    Args:
        length: Of the image.
        side: Of a window.
        context: Pixels of an earlier window that a later one sees, below `side`.

    Example:
        >>> [span[:2] for span in spans(70, 32, 8)]
        [(0, 0), (24, 8), (38, 18)]
    """
    side = min(side, length)
    found, coded, rank = [Span(0, 0, 0)], side, 0
    while coded < length:
        start = min(coded - context, length - side)
        # Without context windows wait for each other only where the last one is moved back.
        rank = rank + 1 if start < coded else 0
        found.append(Span(start, coded - start, rank))
        coded = start + side
    return found


def waves(size: tuple[int, int], window: tuple[int, int], context: int) -> list[list[Window]]:
    """The windows of an image in the order of coding; those of one wave do not see each other.

    A window sees what lies above and to its left, so windows on one diagonal are independent.

    Args:
        size: Height and width of the image.
        window: Height and width of a window; less where the image has less.
        context: As `spans`; less where a side of the window is not longer.

    Example:
        >>> [len(wave) for wave in waves((70, 40), (32, 32), 8)]
        [1, 2, 2, 1]
    """
    rows = spans(size[0], window[0], min(context, window[0] - 1))
    columns = spans(size[1], window[1], min(context, window[1] - 1))
    found = defaultdict(list)
    for row in rows:
        for column in columns:
            each = Window(row.start, column.start, row.known, column.known)
            found[row.rank + column.rank].append(each)
    return [found[rank] for rank in sorted(found)]


def num_windows(size: tuple[int, int], window: tuple[int, int], context: int) -> int:
    """Windows of an image, counted without listing them.

    Example:
        >>> num_windows((70, 40), (32, 32), 8)
        6
    """
    count = 1
    for length, side in zip(size, window, strict=True):
        side, step = min(side, length), side - min(context, side - 1)
        count *= 1 + -(-(length - side) // step)
    return count
