"""Logits of one sub-pixel after another: a full pass each time, or a cached one."""

from abc import ABC, abstractmethod
from typing import Protocol

from torch import Tensor

from pixelcnn.likelihoods import Likelihood
from pixelcnn.nn import Cursor
from pixelcnn.order import Site


class Walkable(Protocol):
    """What a walk needs of a model."""

    training: bool

    @property
    def likelihood(self) -> Likelihood:
        """The head."""

    @property
    def groups(self) -> int:
        """Colour groups: C if the network itself predicts channel by channel, else 1."""

    def __call__(
        self, x: Tensor, cond: Tensor | None = None, cursor: Cursor | None = None
    ) -> Tensor:
        """Parameters (B, P, H, W), or (B, P / groups) at a cursor."""

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
    def start(self, x: Tensor, cond: Tensor | None = None) -> None:
        """Begins a walk over images of the shape of `x` (B, C, H, W)."""

    @abstractmethod
    def logits(self, x: Tensor, site: Site) -> Tensor:
        """Logits (B, K) of the levels at `site`; reads only earlier sub-pixels of `x`.

        Sites must be asked for in raster order, each once.
        """


class NaiveStepper(Stepper):
    """A full forward for every sub-pixel: the slow twin that proves the cached one."""

    def start(self, x: Tensor, cond: Tensor | None = None) -> None:
        self.cond = cond

    def logits(self, x: Tensor, site: Site) -> Tensor:
        params = self.model(x, self.cond)[:, :, site.row, site.column]
        earlier = x[:, : site.channel, site.row, site.column]
        return self.model.likelihood.level_logits(params, earlier, site.channel)


class CachedStepper(Stepper):
    """Computes at each site only what is new there."""

    def start(self, x: Tensor, cond: Tensor | None = None) -> None:
        batch, _, height, width = x.shape
        self.cond = cond
        self.cursor = Cursor(batch, height, width, groups=self.model.groups)
        self.params: Tensor | None = None

    def logits(self, x: Tensor, site: Site) -> Tensor:
        groups = self.model.groups
        if groups > 1 or site.channel == 0:
            self._advance(x, site)
        assert self.params is not None
        earlier = x[:, : site.channel, site.row, site.column]
        return self.model.likelihood.level_logits(self.params, earlier, site.channel)

    def _advance(self, x: Tensor, site: Site) -> None:
        groups = self.model.groups
        self.cursor.move(site.row, site.column, site.channel if groups > 1 else 0)
        params = self.model(x, self.cond, self.cursor)
        if groups == 1:
            self.params = params
            return
        if self.params is None:
            self.params = params.new_zeros(len(x), self.model.likelihood.num_params)
        self.params[:, self.cursor.run(self.params.shape[1])] = params
