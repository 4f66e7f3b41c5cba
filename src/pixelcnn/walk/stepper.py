"""Logits of one sub-pixel after another: a full pass each time, or a cached one."""

from abc import ABC, abstractmethod
from typing import Protocol

import torch
from einops import rearrange
from torch import Tensor

from pixelcnn.likelihoods import Likelihood
from pixelcnn.nn import Cursor
from pixelcnn.order import Front, Order, RasterOrder, WavefrontOrder


class Walkable(Protocol):
    """What a walk needs of a model."""

    training: bool

    @property
    def likelihood(self) -> Likelihood:
        """The head."""

    @property
    def groups(self) -> int:
        """Colour groups: C if the network itself predicts channel by channel, else 1."""

    @property
    def lag(self) -> int | None:
        """Columns that rows must be apart to be walked together; None if they cannot be."""

    def __call__(
        self, x: Tensor, cond: Tensor | None = None, cursor: Cursor | None = None
    ) -> Tensor:
        """Parameters (B, P, H, W), or (R × B, P / groups) at a front."""

    def eval(self) -> object:
        """Goes to evaluation mode."""

    def train(self, mode: bool = True) -> object:
        """Goes to training mode."""


class Stepper(ABC):
    """Gives the logits of each sub-pixel of a batch of images while they are being filled in.

    Args:
        model: In evaluation mode.
    """

    def __init__(self, model: Walkable) -> None:
        self.model = model
        self.cond: Tensor | None = None

    @abstractmethod
    def start(self, x: Tensor, cond: Tensor | None = None) -> Order:
        """Begins a walk over images of the shape of `x` (B, C, H, W).

        Returns:
            The order in which `logits` must be called.
        """

    @abstractmethod
    def logits(self, x: Tensor, front: Front) -> Tensor:
        """Logits of the levels at each sub-pixel of a front; reads only earlier ones of `x`.

        Returns:
            (R × B, K): the images of the topmost row first.
        """

    @abstractmethod
    def reorder(self, index: Tensor) -> None:
        """Lets image i continue as image `index[i]`, with its condition, between two steps.

        Particle methods use it to replace images of little weight. The caller reorders the images
        themselves: `x[:] = x[index]`.

        Args:
            index: Numbers of images; one may come often, another never, and there may be more or
                fewer than before: the caller goes on with `x[index]`. (B,), int64.
        """

    def _level_logits(self, params: Tensor, x: Tensor, front: Front) -> Tensor:
        earlier = front.pixels_of(x)[:, :, : front.channel].flatten(0, 1)
        return self.model.likelihood.level_logits(params, earlier, front.channel)


class NaiveStepper(Stepper):
    """A full forward for every sub-pixel: the slow reference for the cached stepper."""

    def start(self, x: Tensor, cond: Tensor | None = None) -> Order:
        self.cond = cond
        return RasterOrder(*x.shape[1:])

    def logits(self, x: Tensor, front: Front) -> Tensor:
        params = front.pixels_of(self.model(x, self.cond)).flatten(0, 1)
        return self._level_logits(params, x, front)

    def reorder(self, index: Tensor) -> None:
        self.cond = None if self.cond is None else self.cond[index]


class CachedStepper(Stepper):
    """Computes at each step only what is new there.

    Args:
        model: In evaluation mode.
        wavefront: Whether to walk several rows at once where the model allows it. The images and
            logits are the same; pass False where sub-pixels must come in raster order.
    """

    def __init__(self, model: Walkable, *, wavefront: bool = True) -> None:
        super().__init__(model)
        self.wavefront = wavefront

    def start(self, x: Tensor, cond: Tensor | None = None) -> Order:
        batch, channels, height, width = x.shape
        lag = self.model.lag if self.wavefront else None
        order: Order = RasterOrder(channels, height, width)
        if lag is not None and lag < width:
            order = WavefrontOrder(channels, height, width, lag)
        self.cond = cond
        self.cursor = Cursor(batch, height, width, groups=self.model.groups, lag=order.lag)
        self.params = torch.empty(0)
        return order

    def logits(self, x: Tensor, front: Front) -> Tensor:
        groups = self.model.groups
        if groups > 1 or front.channel == 0:
            self.cursor.move(front)
            params = self.model(x, self.cond, self.cursor)
            if groups == 1:
                self.params = params
            else:
                self._gather(params)
        return self._level_logits(self.params, x, front)

    def reorder(self, index: Tensor) -> None:
        batch_size = self.cursor.batch_size
        self.cond = None if self.cond is None else self.cond[index]
        self.cursor.reorder(index)
        if len(self.params):
            rows = self.params.unflatten(0, (-1, batch_size))
            self.params = rearrange(rows[:, index], "r b p -> (r b) p")

    def _gather(self, params: Tensor) -> None:
        if self.cursor.group == 0:
            self.params = params.new_zeros(len(params), self.model.likelihood.num_params)
        self.params[:, self.cursor.run(self.params.shape[1])] = params
