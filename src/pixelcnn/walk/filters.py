"""Temperature, top-k and top-p: how logits are changed before a level is sampled."""

from dataclasses import dataclass

import torch
from torch import Tensor

from pixelcnn.errors import ConfigError

MIN_TEMPERATURE = 1e-6


@dataclass(frozen=True)
class Filter:
    """Changes the distribution that levels are sampled from.

    `SamplingOptions` says what temperature, top-k and top-p do. The defaults change nothing.

    References:
        The Curious Case of Neural Text Degeneration (Holtzman et al., 2020), section 3 (top-p).
        https://arxiv.org/abs/1904.09751

    Example:
        >>> Filter(top_k=2)(torch.tensor([[0.0, 1.0, 1.0, 1.0]]))
        tensor([[-inf, 1., 1., -inf]])
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None

    def __post_init__(self) -> None:
        if not MIN_TEMPERATURE <= self.temperature < float("inf"):
            raise ConfigError(
                f"`temperature` must be at least {MIN_TEMPERATURE:g} and finite, "
                f"got {self.temperature:g}. "
                f"For the most probable level use top_k=1."
            )
        if self.top_k is not None and self.top_k < 1:
            raise ConfigError(f"`top_k` must be at least 1, got {self.top_k}.")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise ConfigError(f"`top_p` must be above 0 and at most 1, got {self.top_p}.")

    def __call__(self, logits: Tensor) -> Tensor:
        """Maps logits (B, K) to logits (B, K); levels left out get minus infinity."""
        if self.temperature != 1:
            # From the largest down: what overflows then is minus infinity, never NaN.
            logits = (logits - logits.amax(1, keepdim=True)) / self.temperature
        if self.top_k is not None and self.top_k < logits.shape[1]:
            logits = _keep_ranked(logits, self.top_k)
        if self.top_p is not None and self.top_p < 1:
            logits = _keep_mass(logits, self.top_p)
        return logits


def _keep_ranked(logits: Tensor, top_k: int) -> Tensor:
    # A stable sort decides ties by level; comparing with the k-th value would keep all of them.
    order = logits.argsort(dim=1, descending=True, stable=True)
    return logits.scatter(1, order[:, top_k:], float("-inf"))


def _keep_mass(logits: Tensor, top_p: float) -> Tensor:
    ranked, order = logits.sort(dim=1, descending=True, stable=True)
    probabilities = ranked.softmax(1)
    mass_before = probabilities.cumsum(1) - probabilities
    # The most probable level has nothing before it: it always stays.
    ranked = ranked.masked_fill(mass_before >= top_p, float("-inf"))
    return torch.empty_like(logits).scatter_(1, order, ranked)
