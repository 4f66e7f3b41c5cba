"""An estimated distribution of one sub-pixel, with its error and its doubts."""

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from pixelcnn.errors import PixelCNNWarning

MIN_EFFECTIVE = 50.0
"""Effective draws below which an estimate, and its standard error, are not trusted."""

MIN_POPULATIONS = 10.0
"""The same for populations, each of which stands for many draws."""

NEVER_SEEN = 1.5
"""Least standard error of a counted share, in draws: three of them are the upper end of a 95 %
interval for what n draws never showed (the "rule of three")."""


class UnreliableEstimateWarning(PixelCNNWarning):
    """An answer whose own diagnostics say that it should not be relied on."""


@dataclass(frozen=True)
class LevelEstimate:
    """The distribution of the levels of one sub-pixel.

    Attributes:
        probabilities: (K,), float64, on the CPU.
        stderr: Standard error of each; zeros where they are exact. (K,), float64.
        method: How it was found: "exact", "importance", "smc", "gibbs", …
        num_draws: Images drawn, or enumerated; over all chains.
        ess: Effective sample size: so many independent draws would be as good. Infinite if exact.
        degrees: Degrees of freedom of the standard errors: independent parts less one.
        diagnostics: Further figures by name, such as `r_hat`, or `log_evidence` for the
            log-probability of what is known (nats).
        warnings: Why not to trust it, in sentences.
    """

    probabilities: Tensor
    stderr: Tensor
    method: str
    num_draws: int
    ess: float
    degrees: float = float("inf")
    diagnostics: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def is_trusted(self) -> bool:
        """Whether no diagnostic speaks against it."""
        return not self.warnings

    @property
    def is_exact(self) -> bool:
        """Whether nothing was drawn: the errors are zero up to rounding."""
        return self.ess == float("inf")

    def interval(self, confidence: float = 0.95) -> tuple[Tensor, Tensor]:
        """Lower and upper ends of Student's interval of each level, within [0, 1].

        Args:
            confidence: Share of repeated runs in which an interval holds the exact probability.

        Returns:
            Two of (K,), float64.

        Example:
            >>> half = torch.tensor([0.5, 0.5], dtype=torch.float64)
            >>> low, high = LevelEstimate(half, half / 10, "importance", 100, 100.0).interval()
            >>> [round(end.item(), 3) for end in (low[0], high[0])]
            [0.402, 0.598]
        """
        from scipy.special import stdtrit  # type: ignore[import-untyped]

        times = float(stdtrit(min(self.degrees, 1e9), (1 + confidence) / 2))
        low, high = (self.probabilities + sign * times * self.stderr for sign in (-1, 1))
        return low.clamp(0, 1), high.clamp(0, 1)

    def warn(self) -> None:
        """Says every doubt aloud, as an `UnreliableEstimateWarning`."""
        say(self.warnings)


def say(doubts: Iterable[str]) -> None:
    """Says each doubt as an `UnreliableEstimateWarning` of the line that asked the question."""
    for sentence in doubts:
        warnings.warn(sentence, UnreliableEstimateWarning, stacklevel=4)


def certain(probabilities: Tensor, *, num_draws: int = 0, **diagnostics: float) -> LevelEstimate:
    """An estimate that is no estimate: probabilities without an error.

    Example:
        >>> certain(torch.tensor([0.25, 0.75])).stderr
        tensor([0., 0.], dtype=torch.float64)
    """
    probabilities = probabilities.detach().double().cpu()
    return LevelEstimate(
        probabilities=probabilities,
        stderr=torch.zeros_like(probabilities),
        method="exact",
        num_draws=num_draws,
        ess=float("inf"),
        diagnostics=diagnostics,
    )


def effective(log_weights: Tensor) -> Tensor:
    """Effective sample size of weighted draws: (sum of w)² / sum of w².

    Args:
        log_weights: (..., N), up to a constant along N; minus infinity for no weight.

    Returns:
        From 1 to N. (...,), float64.

    References:
        Sequential Imputations and Bayesian Missing Data Problems (Kong et al., 1994), section 4.1.

    Example:
        >>> effective(torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, float("-inf")]])).round()
        tensor([3., 2.], dtype=torch.float64)
    """
    log_weights = log_weights.double()
    twice = 2 * log_weights.logsumexp(-1) - (2 * log_weights).logsumexp(-1)
    return twice.exp()


def from_weighted(
    log_weights: Tensor,
    shares: Tensor,
    *,
    method: str,
    num_draws: int,
    num_counted: float | None = None,
    diagnostics: Mapping[str, float] | None = None,
) -> LevelEstimate:
    """The weighted mean of independent distributions: a ratio of two means.

    With weights w and shares f the estimate is p = sum w f / sum w, and its standard error is that
    of the linearised ratio, sqrt(n / (n - 1) × sum w² (f - p)²) / sum w.

    Args:
        log_weights: Of n independent parts: single draws, or whole populations with the
            estimated log-probability of what is known. (n,). Zeros for plain draws.
        shares: What each part says of the levels; rows sum to 1. (n, K).
        method: As `LevelEstimate.method`.
        num_draws: Images drawn in all parts together.
        num_counted: Where the rows hold what was drawn and not what was expected, from how many
            effective draws: a level that was never drawn then has an error all the same.
        diagnostics: Further figures by name.

    Returns:
        The estimate. It has doubts if the weights leave few effective draws.

    References:
        Monte Carlo theory, methods and examples (Owen, 2013), section 9.2, equation 9.8.
        https://artowen.su.domains/mc/

    Example:
        >>> shares = torch.tensor([[0.2, 0.8], [0.4, 0.6]])
        >>> found = from_weighted(torch.zeros(2), shares, method="importance", num_draws=2)
        >>> [round(p, 3) for p in found.probabilities.tolist() + found.stderr.tolist()]
        [0.3, 0.7, 0.1, 0.1]
    """
    log_weights, shares = log_weights.double().cpu(), shares.double().cpu()
    num_parts = len(log_weights)
    weights = log_weights.softmax(0)[:, None]
    probabilities = (weights * shares).sum(0)
    spread = (weights * (shares - probabilities)).square().sum(0)
    ess = float(effective(log_weights))
    # With a single part nothing is known about the error.
    stderr = (spread * num_parts / max(num_parts - 1, 1)).sqrt()
    if num_counted is not None:
        stderr = stderr.clamp(min=NEVER_SEEN / num_counted)
    if num_parts < 2:
        stderr = torch.full_like(stderr, float("nan"))
    return LevelEstimate(
        probabilities=probabilities,
        stderr=stderr,
        method=method,
        num_draws=num_draws,
        ess=ess,
        degrees=float(max(num_parts - 1, 1)),
        diagnostics={
            "log_evidence": log_evidence(log_weights),
            "largest_weight": float(weights.max()),
            **(diagnostics or {}),
        },
        warnings=doubts(ess, num_parts),
    )


def log_evidence(log_weights: Tensor) -> float:
    """Logarithm of the mean weight: the estimated log-probability of what is known. Nats."""
    log_weights = log_weights.double()
    return float(log_weights.logsumexp(0) - torch.tensor(float(len(log_weights))).log())


def doubts(ess: float, num_parts: int) -> tuple[str, ...]:
    """What speaks against an estimate of so many independent parts and effective ones.

    Few parts are enough where their weights are even, as those of populations are; many where
    they are not.

    Example:
        >>> doubts(900.0, 1000), doubts(18.0, 20)
        ((), ())
        >>> doubts(3.0, 1000)[0][:51]
        'The effective sample size is 3.0 of 1000: a few of '
    """
    if num_parts < 2:
        return ("A single draw or population says nothing about its own error: draw more.",)
    if ess >= min(MIN_EFFECTIVE, max(MIN_POPULATIONS, 0.25 * num_parts), 0.5 * num_parts):
        return ()
    return (
        f"The effective sample size is {ess:.1f} of {num_parts}: a few of them decide alone, and "
        f"the standard error may be far too small. Draw more, or use another method.",
    )
