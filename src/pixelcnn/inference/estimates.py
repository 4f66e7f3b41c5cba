"""An estimated distribution of one sub-pixel, with its standard error and its warnings."""

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from pixelcnn.errors import PixelCNNWarning

MIN_ESS = 50.0
"""Effective draws below which an estimate and its standard error are unreliable."""

MIN_POPULATIONS = 10
"""The same for independent populations, of which each holds many draws. Fewer of them cannot show
that their weights are uneven: the ESS of n populations is at least 1 and at most n."""

UNSEEN_DRAWS = 1.5
"""Least standard error of a counted share, in draws: three of them are the upper end of a 95 %
interval for a level that n draws never showed (the "rule of three")."""


class UnreliableEstimateWarning(PixelCNNWarning):
    """An estimate is unreliable by its own diagnostics: ESS, R-hat or too few chains."""


@dataclass(frozen=True)
class LevelEstimate:
    """The distribution of the levels of one sub-pixel.

    Attributes:
        probabilities: (K,), float64, on the CPU.
        stderr: Standard error of each; zeros where they are exact. (K,), float64.
        method: How it was found: "exact", "importance", "smc", "gibbs", …
        num_draws: Images sampled or enumerated, over all chains.
        ess: Effective sample size, in independent draws. Infinite if exact.
        degrees: Degrees of freedom of the standard errors: independent parts minus one.
        diagnostics: Further values by name, such as `r_hat`, or `log_evidence` for the
            log-probability of the known sub-pixels (nats).
        warnings: Why it is unreliable, in sentences.
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
    def is_reliable(self) -> bool:
        """Whether no diagnostic raised a warning."""
        return not self.warnings

    @property
    def is_exact(self) -> bool:
        """Whether nothing was sampled: the errors are zero up to rounding."""
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
        """Raises each of `warnings` as an `UnreliableEstimateWarning`."""
        warn_unreliable(self.warnings)


def warn_unreliable(sentences: Iterable[str]) -> None:
    """Raises each sentence as an `UnreliableEstimateWarning` at the line of the user's call."""
    for sentence in sentences:
        warnings.warn(sentence, UnreliableEstimateWarning, stacklevel=4)


def exact_estimate(
    probabilities: Tensor, *, num_draws: int = 0, **diagnostics: float
) -> LevelEstimate:
    """Exact probabilities, with zero errors.

    Example:
        >>> exact_estimate(torch.tensor([0.25, 0.75])).stderr
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


def effective_sample_size(log_weights: Tensor) -> Tensor:
    """Effective sample size of weighted draws: (sum of w)² / sum of w².

    Args:
        log_weights: (..., N), up to a constant along N; minus infinity for no weight.

    Returns:
        From 1 to N. (...,), float64.

    References:
        Sequential Imputations and Bayesian Missing Data Problems (Kong et al., 1994), section 4.1.

    Example:
        >>> log_weights = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, float("-inf")]])
        >>> effective_sample_size(log_weights).round()
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
            estimated log-probability of the known sub-pixels. (n,). Zeros for plain draws.
        shares: Distribution of the levels in each part; rows sum to 1. (n, K).
        method: As `LevelEstimate.method`.
        num_draws: Images sampled in all parts together.
        num_counted: Effective draws behind rows of counts; None where the rows are probabilities.
            A level that was never drawn then still has an error.
        diagnostics: Further values by name.

    Returns:
        The estimate, with warnings if there are few parts or few effective ones.

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
    ess = float(effective_sample_size(log_weights))
    # A single part has no standard error.
    stderr = (spread * num_parts / max(num_parts - 1, 1)).sqrt()
    if num_counted is not None:
        stderr = stderr.clamp(min=UNSEEN_DRAWS / num_counted)
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
        warnings=reliability_warnings(ess, num_parts),
    )


def log_evidence(log_weights: Tensor) -> float:
    """Logarithm of the mean weight: the estimated log-probability of what is known. Nats."""
    log_weights = log_weights.double()
    return float(log_weights.logsumexp(0) - torch.tensor(float(len(log_weights))).log())


def reliability_warnings(ess: float, num_parts: int) -> tuple[str, ...]:
    """Why an estimate is unreliable; empty if it is not.

    Args:
        ess: Effective sample size.
        num_parts: Independent draws or populations. Few are enough where their weights are even,
            as those of populations are; many where they are not.

    Example:
        >>> reliability_warnings(900.0, 1000), reliability_warnings(18.0, 20)
        ((), ())
        >>> reliability_warnings(3.0, 1000)[0][:27]
        'Unreliable: ESS 3.0 of 1000'
        >>> reliability_warnings(2.0, 2)[0][:49]
        'Unreliable: 2 independent draws or populations. A'
    """
    if num_parts < MIN_POPULATIONS:
        return (
            f"Unreliable: {num_parts} independent draws or populations. At least "
            f"{MIN_POPULATIONS} are needed to know the standard error.",
        )
    if ess >= min(MIN_ESS, max(MIN_POPULATIONS, 0.25 * num_parts), 0.5 * num_parts):
        return ()
    return (
        f"Unreliable: ESS {ess:.1f} of {num_parts}. A few draws or populations decide alone, and "
        f"the standard error may be far too small. Use more of them, or another method.",
    )
