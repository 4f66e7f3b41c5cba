"""Where a network is being evaluated when an image is walked one sub-pixel at a time.

An architecture writes its forward once. Features are channels-last and have the extent of the
region being evaluated, so whatever works on the last axis alone needs no second version:

=============  ================  ==========================================
region         features          `cursor`
=============  ================  ==========================================
whole image    (B, H, W, D)      None
one row        (B, W, D)         within `cursor.per_row`
one site       (B, D / groups)   at (row, column, group)
=============  ================  ==========================================

Only layers that mix sites, or colour groups of one site, look at the cursor. They keep what they
need of the past in `cursor.cache(self, make)`. The rules they share:

* A layer that sees its own site (kind "B") is fed the features of the current site. A layer that
  does not (kind "A", the first of a network) is fed the newest known sub-pixel, as a decoder is
  fed its last token, and answers for the next one.
* What depends on the rows above only is computed for a whole row when it begins, under `per_row`.
* A level of lower resolution runs under `coarser(stride)`, at the sites where it has work.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from torch import nn

T = TypeVar("T")


class Cursor:
    """Position of an incremental walk, and the caches of the layers along it.

    Attributes:
        batch_size: Images walked together.
        height: Rows of the level being walked.
        width: Columns of the level being walked.
        groups: Colour groups: sub-steps of a site.
        row: Current row.
        column: Current column.
        group: Current colour group.
    """

    def __init__(self, batch_size: int, height: int, width: int, *, groups: int = 1) -> None:
        self.batch_size = batch_size
        self.height = height
        self.width = width
        self.groups = groups
        self.row = 0
        self.column = 0
        self.group = 0
        self._caches: dict[nn.Module, Any] = {}
        self._row_values: dict[nn.Module, Any] = {}
        self._coarser: dict[int, Cursor] = {}

    def move(self, row: int, column: int, group: int = 0) -> None:
        """Goes to a site. Sites must be visited in raster order, none left out."""
        if column == 0 and group == 0:
            self._row_values.clear()
        self.row, self.column, self.group = row, column, group
        for stride, child in self._coarser.items():
            if row % stride == 0 and column % stride == 0:
                child.move(row // stride, column // stride)

    @property
    def begins_row(self) -> bool:
        """Whether this is the first step of a row."""
        return self.column == 0 and self.group == 0

    @property
    def newest(self) -> tuple[int, int, int] | None:
        """(row, column, group) of the step before this one; None at the very first."""
        if self.group > 0:
            return self.row, self.column, self.group - 1
        if self.column > 0:
            return self.row, self.column - 1, self.groups - 1
        if self.row > 0:
            return self.row - 1, self.width - 1, self.groups - 1
        return None

    def run(self, features: int) -> slice:
        """The contiguous features that belong to the current colour group."""
        size = features // self.groups
        return slice(self.group * size, (self.group + 1) * size)

    def cache(self, owner: nn.Module, make: Callable[[], T]) -> T:
        """What `owner` keeps along the walk, made by `make()` at its first step."""
        try:
            return self._caches[owner]
        except KeyError:
            return self._caches.setdefault(owner, make())

    def per_row(self, owner: nn.Module, compute: Callable[[], T]) -> T:
        """The value of `compute()` at the first step of the row, kept until the row ends."""
        try:
            return self._row_values[owner]
        except KeyError:
            return self._row_values.setdefault(owner, compute())

    def coarser(self, stride: int) -> "Cursor":
        """The cursor of a level `stride` times smaller; see `has_work`."""
        if stride not in self._coarser:
            height, width = -(-self.height // stride), -(-self.width // stride)
            self._coarser[stride] = Cursor(self.batch_size, height, width)
        return self._coarser[stride]

    def has_work(self, stride: int) -> bool:
        """Whether the level `stride` times smaller has a new site at this step."""
        return self.row % stride == 0 and self.column % stride == 0
