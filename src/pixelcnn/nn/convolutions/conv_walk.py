"""A causal convolution along a walk: only what is new is computed.

One site at a time, the rows above are summed for a whole row when it begins, and a step multiplies
the taps to the left alone. Several rows at a time, a step gathers its taps for all rows at once.
Masked-out taps are never multiplied in either.
"""

from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from pixelcnn.nn.cursor import Cursor, reordered
from pixelcnn.order import Front


class ConvWalk(Protocol):
    """A convolution prepared for one walk."""

    def step(self, h: Tensor | None, cursor: Cursor) -> Tensor:
        """Maps what the layer reads (R × B, I/G) to its output at the front (R × B, O/G)."""


@dataclass(frozen=True)
class CausalTaps:
    """A masked convolution's weights, as a walk needs them.

    Attributes:
        weight: Rows down to the centre's, masked. (O, I, kh // 2 + 1, kw).
        bias: (O,).
        groups: Colour groups.
        dilation: Pixels between the taps.
        sees_own_group: Whether the centre shows the group being written (kind "B").
    """

    weight: Tensor
    bias: Tensor
    groups: int
    dilation: int
    sees_own_group: bool

    @property
    def num_above(self) -> int:
        """Rows of taps above the centre's."""
        return self.weight.shape[2] - 1

    @property
    def num_left(self) -> int:
        """Taps to the left of the centre."""
        return self.weight.shape[3] // 2

    @property
    def rows_above(self) -> int:
        """Pixels seen above."""
        return self.num_above * self.dilation

    @property
    def reach(self) -> int:
        """Pixels seen to the left, and to the right above."""
        return self.num_left * self.dilation

    @property
    def num_reads(self) -> int:
        """Features read of each colour group."""
        return self.weight.shape[1] // self.groups

    @property
    def num_writes(self) -> int:
        """Features written of each colour group."""
        return self.weight.shape[0] // self.groups

    def past_positions(self) -> list[tuple[int, int]]:
        """(rows up, columns right) of the taps before the centre, in raster order."""
        columns = range(-self.num_left, self.num_left + 1)
        above = [(row, column) for row in range(self.num_above, 0, -1) for column in columns]
        left = [(0, column) for column in range(-self.num_left, 0)]
        return [(r * self.dilation, c * self.dilation) for r, c in above + left]

    def products(self, *, rows_above: bool) -> list[Tensor]:
        """For each colour group, its taps in raster order, ready to be multiplied from the right.

        Args:
            rows_above: Whether the rows above take part, or only the centre's row.

        Returns:
            Shapes: (features visible, O / G): all of the taps before the centre, and at the
            centre those of the groups that may be seen.
        """
        if rows_above:
            flat = rearrange(self.weight, "o i h w -> o (h w) i")
            num_past = len(self.past_positions())
        else:
            flat = rearrange(self.weight[:, :, -1], "o i w -> o w i")
            num_past = self.num_left
        inputs = self.weight.shape[1]
        flat = rearrange(flat[:, : num_past + 1], "o t i -> o (t i)")
        products = []
        for group in range(self.groups):
            visible = num_past * inputs + (group + self.sees_own_group) * self.num_reads
            own = flat[group * self.num_writes : (group + 1) * self.num_writes, :visible]
            products.append(own.T.contiguous())
        return products


def prepare_walk(taps: CausalTaps, cursor: Cursor) -> ConvWalk:
    """A convolution for the walk of a cursor."""
    if taps.weight.shape[2:] == (1, 1) and taps.groups == 1 and taps.sees_own_group:
        return PointwiseWalk(taps)
    return FrontConvWalk(taps, cursor) if cursor.lag else SiteConvWalk(taps, cursor)


class PointwiseWalk:
    """A 1×1 convolution of a network without colour groups: a product, with nothing to keep."""

    def __init__(self, taps: CausalTaps) -> None:
        (self.weight,) = taps.products(rows_above=False)
        self.bias = taps.bias

    def step(self, h: Tensor | None, cursor: Cursor) -> Tensor:
        assert h is not None
        return torch.addmm(self.bias, h, self.weight)


class SiteConvWalk:
    """One site at a time.

    Buffers stay where they are, and every view that a step needs is made once: at small batches
    making views would cost more than the arithmetic. A step adds its product to what the rows
    above gave, in place: each row is begun anew, and each of its sites is visited once.

    Args:
        taps: The convolution.
        cursor: Place of a walk whose fronts have one site.
        takes_context: Whether `add_to_row` begins each row.

    Attributes:
        rows: The rows above and, last, the current one, padded left and right.
            Shape: (B, rows above + 1, W + 2 reach, I).
        above: What the rows above give to each site of the current row, and the bias; then the
            outputs. Shape: (B, W, O), site by site in memory.
        slots: For each step of a row, where its features are written. Shapes: (B, I / G).
        reads: For each step of a row: its part of `above` (B, O / G), its window
            (B, taps, I), and the weights of the visible part of the window.
    """

    def __init__(self, taps: CausalTaps, cursor: Cursor, *, takes_context: bool = False) -> None:
        assert not (takes_context and taps.num_above), "the rows above begin each row"
        self.taps = taps
        self.takes_context = takes_context
        self.above_weight = taps.weight[:, :, :-1].contiguous(memory_format=torch.channels_last)
        width = cursor.width + 2 * taps.reach
        inputs = taps.weight.shape[1]
        self.rows = taps.weight.new_zeros(cursor.batch_size, taps.rows_above + 1, width, inputs)
        outputs = (cursor.width, cursor.batch_size, len(taps.bias))
        self.above = taps.weight.new_empty(outputs).transpose(0, 1)
        self.weights = taps.products(rows_above=False)
        self._plan()

    def _plan(self) -> None:
        self.slots: list[Tensor] = []
        self.reads: list[tuple[Tensor, Tensor, Tensor]] = []
        taps, current = self.taps, self.rows[:, -1]
        for column in range(self.above.shape[1]):
            window = current[:, column : column + taps.reach + 1 : taps.dilation]
            for group, weight in enumerate(self.weights):
                own = slice(group * taps.num_reads, (group + 1) * taps.num_reads)
                self.slots.append(current[:, column + taps.reach, own])
                run = slice(group * taps.num_writes, (group + 1) * taps.num_writes)
                # Neighbours in memory are one axis without a copy; dilated taps are not.
                view = window if taps.dilation > 1 else window.flatten(1)[:, : len(weight)]
                self.reads.append((self.above[:, column, run], view, weight))

    def step(self, h: Tensor | None, cursor: Cursor) -> Tensor:
        self.write(h, cursor)
        above, window, weight = self.reads[cursor.index]
        if self.taps.dilation > 1:
            window = window.flatten(1)[:, : len(weight)]
        return above.addmm_(window, weight)

    def write(self, h: Tensor | None, cursor: Cursor) -> None:
        """Stores what the layer is fed (B, I / G), for this step and those to come."""
        index = cursor.index
        if not self.taps.sees_own_group and h is not None:
            self.slots[index - 1].copy_(h)  # at the first step of a row: the last of the row above
        if index == 0 and not self.takes_context:
            self._begin_row()
        if self.taps.sees_own_group and h is not None:
            self.slots[index].copy_(h)

    def _begin_row(self) -> None:
        taps = self.taps
        if not taps.num_above:
            self.above.copy_(taps.bias)
            return
        self.rows[:, :-1] = self.rows[:, 1:].clone()
        past = self.rows[:, : (taps.num_above - 1) * taps.dilation + 1]
        past = rearrange(past, "b h w i -> b i h w")
        sums = F.conv2d(past, self.above_weight, taps.bias, dilation=taps.dilation)
        self.above.copy_(rearrange(sums, "b o 1 w -> b w o"))

    def reorder(self, index: Tensor) -> None:
        """Lets image i go on as image `index[i]` was: in place, for the views of the steps."""
        is_in_place = len(index) == len(self.rows)
        self.rows = reordered(self.rows, index)
        self.above = reordered(self.above.transpose(0, 1), index, dim=1).transpose(0, 1)
        if not is_in_place:
            self._plan()

    def add_to_row(self, context: Tensor) -> None:
        """Puts (B, W, O) on top of the output of the row that begins.

        For a window of one row; a taller one computes the same place from the rows above.
        """
        assert self.takes_context
        torch.add(context, self.taps.bias, out=self.above)


class FrontConvWalk:
    """Several rows at a time.

    Features are kept by time, column + row × lag, so that a tap of all rows of a front is one
    contiguous block: the tap `r` rows up and `c` columns right was computed `r × lag - c` earlier.

    Attributes:
        times: A ring of the features of the latest times; zero where a row is not under way.
            Shapes: (rows, I), where rows are H + rows above times B, those above the image first.
    """

    def __init__(self, taps: CausalTaps, cursor: Cursor) -> None:
        self.taps = taps
        self.weights = taps.products(rows_above=True)
        self.biases = taps.bias.split(taps.num_writes)
        self.past = [(r, r * cursor.lag - c) for r, c in taps.past_positions()]
        assert all(age > 0 for _, age in self.past), "a tap reaches beyond the lag of the front"
        length = 1 + max((age for _, age in self.past), default=0)
        self.num_rows = cursor.height + taps.rows_above
        size = self.num_rows * cursor.batch_size, taps.weight.shape[1]
        self.times = list(taps.weight.new_zeros(length, *size))
        self.written: list[Front | None] = [None] * length

    def step(self, h: Tensor | None, cursor: Cursor) -> Tensor:
        fed = cursor.front if self.taps.sees_own_group else cursor.newest
        if h is not None and fed is not None:
            self._write(h, fed, cursor)
        weight = self.weights[cursor.group]
        window = self._window(cursor)[:, : len(weight)]
        return torch.addmm(self.biases[cursor.group], window, weight)

    def reorder(self, index: Tensor) -> None:
        """Lets image i go on as image `index[i]` was."""
        self.times = [
            reordered(features.unflatten(0, (self.num_rows, -1)), index, dim=1).flatten(0, 1)
            for features in self.times
        ]

    def _write(self, h: Tensor, front: Front, cursor: Cursor) -> None:
        slot = (front.column + front.row * cursor.lag) % len(self.times)
        group = front.channel if cursor.groups > 1 else 0
        before = self.written[slot]
        if group == 0 and before is not None and before.row < front.row:
            # Rows that have ended since this slot was last used.
            self._rows(slot, before, cursor.batch_size).zero_()
        if group == 0:
            self.written[slot] = front
        own = slice(group * self.taps.num_reads, (group + 1) * self.taps.num_reads)
        self._rows(slot, front, cursor.batch_size)[:, own] = h

    def _window(self, cursor: Cursor) -> Tensor:
        front, batch, length = cursor.front, cursor.batch_size, len(self.times)
        views = [
            self._rows((cursor.time - age) % length, front, batch, up=up) for up, age in self.past
        ]
        if self.taps.sees_own_group or cursor.group > 0:
            views.append(self._rows(cursor.time % length, front, batch))
        return views[0] if len(views) == 1 else torch.cat(views, 1)

    def _rows(self, slot: int, front: Front, batch: int, *, up: int = 0) -> Tensor:
        start = (self.taps.rows_above + front.row - up) * batch
        return self.times[slot][start : start + front.num_rows * batch]
