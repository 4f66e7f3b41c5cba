"""The area under the ROC curve."""

import math
from typing import NamedTuple

import torch
from torch import Tensor


class Auc(NamedTuple):
    """The area under the ROC curve: the probability that a positive scores above a negative.

    Attributes:
        auc: 1 if all positives score above all negatives, 0.5 by chance; ties count half.
        stderr: Its standard error; None for fewer than two positives or negatives.
    """

    auc: float
    stderr: float | None


def roc_auc(negatives: Tensor, positives: Tensor) -> Auc:
    """The area under the ROC curve of scores that are higher for positives.

    Args:
        negatives: Scores. (N,).
        positives: Scores. (M,).

    Returns:
        The area with its standard error over both samples.

    References:
        Comparing the areas under two or more correlated receiver operating characteristic curves
        (DeLong et al., 1988): the variance by placements.

    Example:
        >>> roc_auc(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 2.0])).auc
        0.875
    """
    below = _placements(positives, negatives)
    area = below.mean().item()
    if min(len(negatives), len(positives)) < 2:
        return Auc(area, None)
    above = _placements(negatives, positives)
    variance = below.var().item() / len(below) + above.var().item() / len(above)
    return Auc(area, math.sqrt(variance))


def _placements(some: Tensor, others: Tensor) -> Tensor:
    """The share of the other scores below each of some, ties by half. (N,)."""
    ranked, some = others.sort().values, some.contiguous()
    below, upto = (torch.searchsorted(ranked, some, right=right) for right in (False, True))
    return (below + upto).double() / (2 * len(others))
