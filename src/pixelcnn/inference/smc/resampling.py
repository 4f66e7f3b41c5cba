"""Resampling of populations."""

import torch
from torch import Tensor


def systematic(log_weights: Tensor, uniform: Tensor, count: int | None = None) -> Tensor:
    """Systematic resampling: evenly spaced points in the cumulative weights.

    Each image is taken `count` times its share of the weight, rounded up or down.

    Args:
        log_weights: (P, S), up to a constant for each population.
        uniform: Where the points of each population begin, in [0, 1). (P,).
        count: Images taken of each population, N; None for as many as it has.

    Returns:
        Numbers of the images taken, in order. (P, N), int64.

    References:
        Monte Carlo Filter and Smoother for Non-Gaussian Nonlinear State Space Models (Kitagawa,
        1996), appendix.

    Example:
        >>> systematic(torch.tensor([[0.5, 0.25, 0.0, 0.25]]).log(), torch.tensor([0.5]))
        tensor([[0, 0, 1, 3]])
    """
    count = log_weights.shape[1] if count is None else count
    cumulative = log_weights.softmax(1).cumsum(1)
    steps = torch.arange(count, device=log_weights.device)
    shares = (steps + uniform[:, None]) / count
    # Below the last sum, whatever rounding does to either: an image without weight stays untaken.
    below = 1 - torch.finfo(cumulative.dtype).eps
    points = shares.to(cumulative.dtype).clamp(max=below) * cumulative[:, -1:]
    return torch.searchsorted(cumulative, points, right=True)


def in_place(ancestors: Tensor) -> Tensor:
    """The same images taken, each as often, but every one that is taken stays where it is.

    So only copies have to be made.

    Args:
        ancestors: Numbers of the images taken. (P, S), int64.

    Example:
        >>> in_place(torch.tensor([[0, 0, 1, 3, 3]]))
        tensor([[0, 1, 0, 3, 3]])
    """
    numbers = torch.arange(ancestors.numel(), device=ancestors.device)
    first = numbers.view_as(ancestors)[:, :1]
    count = (ancestors + first).flatten().bincount(minlength=len(numbers))
    again = numbers.repeat_interleave((count - 1).clamp(min=0))
    # As many images of a population are taken again as are not taken, and both are in order.
    return numbers.masked_scatter(count == 0, again).view_as(ancestors) - first


def log_mean(log_weights: Tensor) -> Tensor:
    """Logarithm of the mean weight of each population. (P, S) to (P,)."""
    size = torch.tensor(float(log_weights.shape[1]), dtype=log_weights.dtype)
    return log_weights.logsumexp(1) - size.log().to(log_weights.device)
