"""Discretised mixture of logistic distributions, channels coupled."""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from pixelcnn.errors import ConfigError
from pixelcnn.likelihoods.base import Likelihood
from pixelcnn.spec import to_steps

NUM_MIXTURES = 10
MIN_LOG_SCALE = -7 + math.log(255 / 2)
"""Least log-scale of a logistic, in steps from level to level.

The paper's bound, -7 on the scale of [-1, 1] at 256 levels, kept equally sharp in levels at any
other K: 0.116 steps, so that one component gives one inner level at most 97.3 % of its mass.
"""

TABLE_SIZE = {"cpu": 2**16, "other": 2**22}
"""Most elements (pixels × components × levels) that `level_logits` holds at a time, give or take.

On a processor what is held at a time stays in its cache: all at once would take twice as long.
"""


class _Mixture(NamedTuple):
    """The parameters of N images of L pixels, means and scales in steps from level to level.

    Pixels come last: sums over the few components then run along whole rows of memory.

    Attributes:
        log_weights: Of the M components, shared by the channels. (N, M, L).
        means: Before the coupling, from the middle of the range. (N, C, M, L).
        log_scales: (N, C, M, L).
        slopes: In (-1, 1): G on R, B on R, B on G. (N, C (C - 1) / 2, M, L).
    """

    log_weights: Tensor
    means: Tensor
    log_scales: Tensor
    slopes: Tensor


class LogisticMixture(Likelihood):
    """A mixture of logistic distributions, rounded to the levels; R, then G, then B, and so on.

    Levels lie evenly on [-1, 1]. A level has the mass within 1 / (K - 1) of it, the first and the
    last also all beyond. A pixel chooses one component for all of its channels; within it the mean
    of a channel moves linearly with the earlier channels. P = M (1 + 2 C + C (C - 1) / 2): by M,
    the logits of the components, the mean of each channel, the log-scale of each (bounded below,
    see `MIN_LOG_SCALE`), and the slopes before their tanh (G on R, B on R, B on G, …).

    Log-probabilities and gradients are finite wherever the parameters stay within ±1e30.

    Args:
        channels: C.
        levels: K.
        num_mixtures: M, components.

    Raises:
        ConfigError: If there are no components.

    References:
        PixelCNN++: Improving the PixelCNN with Discretized Logistic Mixture Likelihood and Other
        Modifications (Salimans et al., 2017), sections 2.1 and 2.2.
        https://arxiv.org/abs/1701.05517

    Example:
        >>> head = LogisticMixture(1, 4, num_mixtures=1)
        >>> params = torch.tensor([[0.0, 1 / 3, -1.5]])  # one component, around level 2
        >>> head.level_logits(params, torch.empty(1, 0), 0).exp()
        tensor([[0.0112, 0.1721, 0.6333, 0.1833]])
    """

    couples_channels = True

    def __init__(self, channels: int, levels: int, *, num_mixtures: int = NUM_MIXTURES) -> None:
        if num_mixtures < 1:
            raise ConfigError(f"`num_mixtures` must be at least 1, got {num_mixtures}.")
        super().__init__(channels, levels)
        self.num_mixtures = num_mixtures

    @property
    def num_params(self) -> int:
        return self.num_mixtures * sum(self._runs)

    @property
    def _runs(self) -> tuple[int, int, int, int]:
        """Parameters of a component: logit, means, log-scales, slopes."""
        return 1, self.channels, self.channels, self.channels * (self.channels - 1) // 2

    def log_prob(self, params: Tensor, x: Tensor) -> Tensor:
        mixture = self._unpack(rearrange(params, "b p h w -> b p (h w)"))
        steps = self._steps(rearrange(x, "b c h w -> b c (h w)"), mixture)
        nats, log_weights = [], mixture.log_weights
        for channel in range(self.channels):
            by_component = log_weights + self._log_mass_seen(mixture, steps, channel)
            nats.append(by_component.logsumexp(1))
            log_weights = by_component.log_softmax(1)
        return rearrange(nats, "c b (h w) -> b c h w", h=x.shape[2])

    def level_logits(self, params: Tensor, earlier: Tensor, channel: int) -> Tensor:
        mixture = self._unpack(params[:, :, None])
        steps = self._steps(earlier[:, :, None], mixture)
        log_weights = mixture.log_weights
        for c in range(channel):
            log_weights = (log_weights + self._log_mass_seen(mixture, steps, c)).log_softmax(1)
        means, log_scales = self._means(mixture, steps, channel), mixture.log_scales[:, channel]
        most = TABLE_SIZE["cpu" if params.device.type == "cpu" else "other"]
        size = max(1, most // max(1, log_weights.numel()))
        tables = (
            self._log_mass_table(log_weights, means, log_scales, range(start, start + size))
            for start in range(0, self.levels, size)
        )
        return torch.cat([table.logsumexp(1) for table in tables], 1)

    def _unpack(self, params: Tensor) -> _Mixture:
        """Reads (N, P, L), in double precision if it comes so, else in single."""
        params = params if params.dtype == torch.float64 else params.float()
        runs = rearrange(params.contiguous(), "n (q m) l -> n q m l", m=self.num_mixtures)
        logits, means, log_scales, slopes = runs.split(self._runs, 1)
        half = (self.levels - 1) / 2  # the range [-1, 1] has K - 1 steps
        return _Mixture(
            log_weights=logits[:, 0].log_softmax(1),
            means=means * half,
            log_scales=(log_scales + math.log(half)).clamp(min=MIN_LOG_SCALE),
            slopes=slopes.tanh(),
        )

    def _steps(self, x: Tensor, mixture: _Mixture) -> Tensor:
        return to_steps(x, self.levels, dtype=mixture.means.dtype)

    def _log_mass_seen(self, mixture: _Mixture, steps: Tensor, channel: int) -> Tensor:
        """Log-mass in each component of the level that stands in a channel, given those before it.

        Args:
            mixture: Of N images of L pixels.
            steps: Levels in steps from the middle of the range. (N, C, L).
            channel: Which.

        Returns:
            Nats. (N, M, L).
        """
        own = steps[:, channel : channel + 1]
        last = (self.levels - 1) / 2
        return _log_logistic_mass(
            own - self._means(mixture, steps, channel),
            mixture.log_scales[:, channel],
            is_first=own == -last,  # steps are exact, so they may be compared
            is_last=own == last,
        )

    def _means(self, mixture: _Mixture, steps: Tensor, channel: int) -> Tensor:
        """Mean of a channel by component, given earlier ones (N, C, L) in steps. (N, M, L)."""
        means = mixture.means[:, channel]
        if channel == 0:
            return means
        first = channel * (channel - 1) // 2
        slopes = mixture.slopes[:, first : first + channel]
        return means + (slopes * steps[:, :channel, None]).sum(1)

    def _log_mass_table(
        self, log_weights: Tensor, means: Tensor, log_scales: Tensor, levels: range
    ) -> Tensor:
        """Log-mass of a run of levels in each component, weights of the components included.

        As `_log_logistic_mass`; but what is above one level is below the next, so that one
        logarithm for each edge between levels is enough: log σ(a) = min(a, 0) + log σ(|a|).

        Args:
            log_weights: Of N pixels. (N, M, 1).
            means: In steps from the middle of the range. (N, M, 1).
            log_scales: (N, M, 1).
            levels: K neighbouring levels; those beyond the last are left out.

        Returns:
            Nats. (N, M, K).
        """
        start, stop = levels.start, min(levels.stop, self.levels)
        # Edge k lies between the levels k - 1 and k; beyond the first and the last there is none.
        edges = torch.arange(start, stop + 1, device=means.device).to(means.dtype)
        edges = (edges - self.levels / 2 - means).mul_((-log_scales).exp())
        inner = slice(0, stop - start)
        if start == 0:
            edges[:, :, 0] = -torch.inf
            inner = slice(1, inner.stop)
        if stop == self.levels:
            edges[:, :, -1] = torch.inf
            inner = slice(inner.start, inner.stop - 1)
        tails = F.logsigmoid(edges.abs())
        table = edges.clamp(max=0).add_(tails)[:, :, 1:]
        table += tails.sub_(edges.clamp(min=0))[:, :, :-1]
        table[:, :, inner] += _log_one_minus_exp(-log_scales)
        return table.add_(log_weights)


def _log_logistic_mass(
    distance: Tensor, log_scale: Tensor, *, is_first: Tensor, is_last: Tensor
) -> Tensor:
    """Log-probability that a logistic variable rounds to a level.

    With edges a > b of the level in units of the scale, σ(a) - σ(b) = σ(a) σ(-b) (1 - exp(b - a)).
    All three logarithms are negative, so nothing cancels: neither in the left tail, where this
    is a difference of cumulative probabilities, nor in the right one, where it is one of survival
    probabilities. And a - b is the inverse of the scale, known without a subtraction.

    Args:
        distance: From the mean to the level, in steps.
        log_scale: In steps.
        is_first: Whether the level also has all below.
        is_last: Whether the level also has all above.

    Returns:
        Nats.
    """
    inverse = (-log_scale).exp()
    log_up_to = F.logsigmoid((distance + 0.5) * inverse)
    log_from = F.logsigmoid((0.5 - distance) * inverse)
    log_inner = _log_one_minus_exp(-log_scale)
    zero = torch.zeros_like(log_inner)
    return (
        torch.where(is_last, zero, log_up_to)
        + torch.where(is_first, zero, log_from)
        + torch.where(is_first | is_last, zero, log_inner)
    )


def _log_one_minus_exp(log_width: Tensor) -> Tensor:
    """log(1 - exp(-width)); for the smallest widths this is the log of the width itself."""
    # Below exp(-40) the two are equal in double precision, and further down a width would vanish.
    # The clamp keeps the branch that is not taken finite: its gradient would be 0 × inf.
    width = log_width.clamp(min=-40).exp()
    return torch.where(log_width < -40, log_width, torch.log(-torch.expm1(-width)))
