"""Where a network is being evaluated when an image is walked step by step.

An architecture writes its forward once. Features are channels-last and have the extent of the
region being evaluated, so whatever works on the last axis alone needs no second version:

=============  ====================  ==========================================
region         features              `cursor`
=============  ====================  ==========================================
whole image    (B, H, W, D)          None
one front      (R × B, D / groups)   at `cursor.front`, R rows and one channel
one row        (B, W, D)             within `cursor.per_row` (fronts of one row)
=============  ====================  ==========================================

Only layers that mix sites, or colour groups of one site, look at the cursor. They keep what they
need of the past by `cursor.cached(self, …)`: what of it belongs to single images has a method
`reorder` (`PerImage`); all else is the same for all images. The rules they share:

* A layer that sees its own site (kind "B") is fed the features of the current front. A layer that
  does not (kind "A", the first of a network) is fed the newest known front, as a decoder is fed
  its last token, and answers for the next one.
* What reads the newest sub-pixel at its own place runs there, one step late, under `behind`.
* What depends on the rows above only is computed for a whole row when it begins, under `per_row`.
* A level of lower resolution runs under `coarser(stride)`, at the sites where it has work.
* A network all of whose windows reach fewer than n columns to the right may be walked with
  fronts of several rows n columns apart (`pixelcnn.order.WavefrontOrder`), if all of its layers
  can. The others (attention, two stacks, strides) are walked one site at a time.
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor, nn

from pixelcnn.order import Front

T = TypeVar("T")


@runtime_checkable
class PerImage(Protocol):
    """What a layer keeps of each image along a walk."""

    def reorder(self, index: Tensor) -> None:
        """Lets image i go on as image `index[i]` was."""


class Cursor:
    """Position of a walk, and the caches of the layers along it.

    Args:
        batch_size: B, images walked together.
        height: H, rows of the level being walked.
        width: W, columns of the level being walked.
        groups: Colour groups: sub-steps of a site.
        lag: Columns between neighbouring rows of a front; 0 for fronts of one site.

    Attributes:
        front: What is being predicted.
        newest: The front before that, whose sub-pixels have just become known; None at the first.
        group: Current colour group.
        index: Step within the row: column × groups + group (fronts of one site).
        time: Steps of a site since the beginning (fronts of several rows).
        caches: What each layer keeps along the walk.
    """

    def __init__(
        self, batch_size: int, height: int, width: int, *, groups: int = 1, lag: int = 0
    ) -> None:
        self.batch_size = batch_size
        self.height = height
        self.width = width
        self.groups = groups
        self.lag = lag
        self.front = Front(0, 0, 0)
        self.newest: Front | None = None
        self.group = 0
        self.index = 0
        self.time = 0
        self.caches: dict[nn.Module, Any] = {}
        self._started = False
        self._row_values: dict[nn.Module, Any] = {}
        self._coarser: dict[int, Cursor] = {}
        self._behind: Cursor | None = None

    @property
    def token(self) -> int:
        """Number of sites, times groups, before the current one (fronts of one site)."""
        return self.front.row * self.width * self.groups + self.index

    def move(self, front: Front) -> None:
        """Goes to the next front of the order; none may be left out."""
        if self._started:
            self.newest = self.front
        self._started = True
        self.front = front
        self.group = front.channel if self.groups > 1 else 0
        self.index = front.column * self.groups + self.group
        self.time = front.column + front.row * self.lag
        if self.index == 0:
            self._row_values.clear()
        for stride, child in self._coarser.items():
            self._lead(child, stride)
        if self._behind is not None:
            self._follow(self._behind)

    def reorder(self, index: Tensor) -> None:
        """Lets image i go on as image `index[i]` was, between two steps.

        Args:
            index: Numbers of images; one may come often, another never, and there may be more or
                fewer than before. (B,), int64.
        """
        self.batch_size = len(index)
        for kept in self.caches.values():
            if isinstance(kept, PerImage):
                kept.reorder(index)
        for owner, value in self._row_values.items():
            self._row_values[owner] = _row_reordered(value, index)
        for child in self._coarser.values():
            child.reorder(index)
        if self._behind is not None:
            self._behind.reorder(index)

    def run(self, features: int) -> slice:
        """The contiguous features that belong to the current colour group."""
        size = features // self.groups
        return slice(self.group * size, (self.group + 1) * size)

    def cached(self, owner: nn.Module, make: Callable[[], T]) -> T:
        """What a layer keeps along the walk, made by `make()` when it is first needed."""
        if owner not in self.caches:
            self.caches[owner] = make()
        value: T = self.caches[owner]
        return value

    def per_row(self, owner: nn.Module, compute: Callable[[], T]) -> T:
        """The value of `compute()` at the first step of the row, kept until the row ends."""
        if owner not in self._row_values:
            self._row_values[owner] = compute()
        value: T = self._row_values[owner]
        return value

    def coarser(self, stride: int) -> "Cursor":
        """The cursor of a level `stride` times smaller; see `has_work`."""
        if stride not in self._coarser:
            height, width = -(-self.height // stride), -(-self.width // stride)
            self._coarser[stride] = Cursor(self.batch_size, height, width, groups=self.groups)
            self._lead(self._coarser[stride], stride)
        return self._coarser[stride]

    @property
    def behind(self) -> "Cursor":
        """The cursor of `newest`, one step behind; nothing can run there at the first step."""
        if self._behind is None:
            self._behind = Cursor(
                self.batch_size, self.height, self.width, groups=self.groups, lag=self.lag
            )
            self._follow(self._behind)
        return self._behind

    def _follow(self, child: "Cursor") -> None:
        if self.newest is not None:
            child.move(self.newest)

    def _lead(self, child: "Cursor", stride: int) -> None:
        if self.has_work(stride):
            channel, row, column = self.front[:3]
            child.move(Front(channel, row // stride, column // stride))

    def has_work(self, stride: int) -> bool:
        """Whether the level `stride` times smaller has a new site at this step."""
        return self.front.row % stride == 0 and self.front.column % stride == 0


def _row_reordered(value: Any, index: Tensor) -> Any:
    """Tensors (B, …) of a row, alone or in tuples or lists, by image."""
    if isinstance(value, (tuple, list)):
        return type(value)(_row_reordered(part, index) for part in value)
    return value if value is None else value.index_select(0, index)


def reordered(kept: Tensor, index: Tensor, *, dim: int = 0) -> Tensor:
    """Lets image i of a buffer go on as image `index[i]` was: in place, if there are as many.

    Only images that change are then copied: of a population that is resampled most stay.

    Args:
        kept: Images along `dim`; no other tensor that is reordered may share its memory.
        index: Numbers of images. (B,), int64.
        dim: Axis of the images.

    Returns:
        The buffer itself; a new one if the number of images changes.

    Example:
        >>> kept = torch.tensor([[1.0, 2.0, 3.0]])
        >>> reordered(kept, torch.tensor([2, 1, 2]), dim=1)
        tensor([[3., 2., 3.]])
        >>> reordered(kept, torch.tensor([0, 1]), dim=1), kept
        (tensor([[3., 2.]]), tensor([[3., 2., 3.]]))
    """
    if len(index) != kept.shape[dim]:
        return kept.index_select(dim, index)
    changed = (index != torch.arange(len(index), device=index.device)).nonzero()[:, 0]
    return kept.index_copy_(dim, changed, kept.index_select(dim, index[changed]))
