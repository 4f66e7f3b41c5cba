"""The mixture of logistics by tables."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from pixelcnn.codec.portable import tables
from pixelcnn.likelihoods import Likelihood, LogisticMixture
from pixelcnn.spec import to_steps

LEAST_LOG_SCALE = -7  # on the scale of [-1, 1] at 256 levels: `MIN_LOG_SCALE` of the head
LEAST_MASS = 2.0**-48
"""In the posterior of the components, no level has a smaller mass."""

LN_2 = 0.6931471805599453


class _Components(NamedTuple):
    """M logistics of one channel, in steps from level to level. (B, M)."""

    means: Tensor
    inverses: Tensor


class MixtureTables(Likelihood):
    """`LogisticMixture` with functions read from tables, and sums in the order of the components.

    Args:
        head: The head whose parameters are read.
    """

    couples_channels = True

    def __init__(self, head: LogisticMixture) -> None:
        super().__init__(head.channels, head.levels)
        self.num_mixtures = head.num_mixtures
        self._num_params = head.num_params
        self.half = (head.levels - 1) / 2
        self.log_ratio = round(math.log((head.levels - 1) / 255) * 2**14) / 2**14
        steepest = -LEAST_LOG_SCALE * tables.STEPS
        self.sharpest = float(1 / (tables.exponential()[steepest] * 127.5))

    @property
    def num_params(self) -> int:
        return self._num_params

    def log_prob(self, params: Tensor, x: Tensor) -> Tensor:
        pixels = params.permute(0, 2, 3, 1).flatten(0, 2)
        levels = x.permute(0, 2, 3, 1).flatten(0, 2)
        nats = [
            self.level_logits(pixels, levels[:, :channel], channel)
            .log_softmax(1)
            .gather(1, levels[:, channel : channel + 1])
            for channel in range(self.channels)
        ]
        return torch.cat(nats, 1).view(len(x), *x.shape[2:], -1).permute(0, 3, 1, 2)

    def level_logits(self, params: Tensor, earlier: Tensor, channel: int) -> Tensor:
        runs = params.unflatten(1, (-1, self.num_mixtures))
        steps = to_steps(earlier, self.levels, dtype=params.dtype)
        below = runs[:, 0].amax(1, keepdim=True) - runs[:, 0]
        weights = tables.read_nearest(tables.on_device(tables.exponential, params.device), below)
        for c in range(channel):
            weights = weights * self._mass_seen(self._components(runs, steps, c), steps[:, c, None])
        components = self._components(runs, steps, channel)
        edges = torch.arange(1, self.levels, device=params.device) - self.levels / 2
        total = params.new_zeros(len(params), self.levels)
        for m in range(self.num_mixtures):
            at = slice(m, m + 1)
            inner = _logistic((edges - components.means[:, at]) * components.inverses[:, at])
            up_to = torch.nn.functional.pad(inner, (0, 1), value=1.0)
            up_to[:, 1:] -= inner
            total += up_to.clamp_(min=0).mul_(weights[:, at])
        return _log(total)

    def _components(self, runs: Tensor, steps: Tensor, channel: int) -> _Components:
        """The components of a channel, given the earlier ones in steps. (B, Q, M), (B, C)."""
        means = runs[:, 1 + channel] * self.half
        first = 1 + 2 * self.channels + channel * (channel - 1) // 2
        for c in range(channel):
            slope = _logistic(2 * runs[:, first + c]).mul_(2).sub_(1)  # the hyperbolic tangent
            means = means + slope * steps[:, c, None]
        above_least = runs[:, 1 + self.channels + channel] + (self.log_ratio - LEAST_LOG_SCALE)
        table = tables.on_device(tables.exponential, runs.device)[:-1]
        return _Components(means, tables.read_nearest(table, above_least) * self.sharpest)

    def _mass_seen(self, components: _Components, own: Tensor) -> Tensor:
        """Mass in each component of the levels (B, 1) that stand in a channel, in steps. (B, M)."""
        distance = own - components.means
        above = _logistic((distance + 0.5) * components.inverses)
        below = _logistic((distance - 0.5) * components.inverses)
        above = above.masked_fill_(own == self.half, 1)
        below = below.masked_fill_(own == -self.half, 0)
        return above.sub_(below).clamp_(min=LEAST_MASS)


def _logistic(z: Tensor) -> Tensor:
    first = -tables.REACH * tables.STEPS
    return tables.read_between(tables.on_device(tables.logistic, z.device), z, first=first)


def _log(x: Tensor) -> Tensor:
    """ln x, that of the mantissa between the entries of its table; minus infinity at 0."""
    mantissa, exponent = torch.frexp(x)
    table = tables.on_device(tables.logarithm, x.device)
    log = tables.read_between(table, mantissa.mul_(2).sub_(1)).add_((exponent - 1).double() * LN_2)
    return log.masked_fill_(x == 0, -torch.inf)
