"""Distances to the nearest training images: whether a model memorises them."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pixelcnn.errors import ShapeError
from pixelcnn.metrics.roc import roc_auc
from pixelcnn.spec import check_levels, to_unit

QUANTILES = (0.01, 0.25, 0.5, 0.75, 0.99)


@dataclass(frozen=True)
class Memorisation:
    """Distances of samples and of test images to their two nearest training images.

    Attributes:
        generated: Of samples, the smaller first. (N, 2), float64.
        test: Of test images, the smaller first. (M, 2), float64.
    """

    generated: Tensor
    test: Tensor

    @property
    def nearer_than_test(self) -> float:
        """Probability that a sample is nearer to the training images than a test image.

        Equal distances count half. It is 0.5 without memorisation, and far above it if the model
        copies. It is the statistic of Mann and Whitney over its largest value.

        References:
            A non-parametric test to detect data-copying in generative models (Meehan et al.,
            2020), section 3. https://arxiv.org/abs/2004.05675
        """
        return roc_auc(self.generated[:, 0], self.test[:, 0]).auc

    @property
    def near_copies(self) -> float:
        """Share of samples that are near to one training image only, as 1 % of test images are.

        Near means a small ratio of the distances to the nearest and the second nearest training
        image; the limit is the first percentile of test images. This detects a few altered copies
        among many samples, which hardly change `nearer_than_test` and the quantiles. It does not
        detect shifted copies.

        References:
            Extracting training data from diffusion models (Carlini et al., 2023), section 4.2, who
            divide by the mean distance to several neighbours. https://arxiv.org/abs/2301.13188
        """
        limit = _ratios(self.test).quantile(QUANTILES[0])
        return (_ratios(self.generated) < limit).double().mean().item()

    def summary(self) -> dict[str, Any]:
        """The metrics in JSON types.

        Quantiles of the distances of samples and test images; the number of exact copies in each;
        `nearer_than_test` and `near_copies`.
        """
        generated, test = self.generated[:, 0], self.test[:, 0]
        return {
            "generated": quantiles(generated),
            "test": quantiles(test),
            "copies": int((generated == 0).sum()),
            "copies_in_test": int((test == 0).sum()),
            "nearer_than_test": self.nearer_than_test,
            "near_copies": self.near_copies,
        }


def _ratios(distances: Tensor) -> Tensor:
    """The first of two distances over the second, 0 for exact copies. (N,)."""
    first, second = distances.unbind(1)
    return torch.where(first == 0, 0.0, first / second)


def quantiles(distances: Tensor) -> dict[str, float]:
    """Quantiles by name, with the mean.

    Example:
        >>> quantiles(torch.arange(101).double())["q25"]
        25.0
    """
    probabilities = torch.tensor(QUANTILES, dtype=torch.float64)
    values = distances.double().quantile(probabilities).tolist()
    named = {f"q{round(100 * p):02d}": value for p, value in zip(QUANTILES, values, strict=True)}
    return {**named, "mean": distances.double().mean().item()}


def nearest(
    x: Tensor, references: Iterable[Tensor], *, levels: int, count: int = 1, batch_size: int = 1_000
) -> tuple[Tensor, Tensor]:
    """Finds the nearest reference images.

    Args:
        x: Levels. (N, C, H, W).
        references: Batches of levels, (B, C, H, W) each; read once, one after another.
        levels: Number of levels K of all images.
        count: Number of nearest images.
        batch_size: Images of `x` compared at once.

    Returns:
        Root mean square distances, the smallest first, float64: 0 for an exact copy, 1 for black
        against white; and the numbers of the images. (N, count) both.

    Raises:
        ShapeError: If sizes or levels differ, or there are fewer than `count`.

    Example:
        >>> x = torch.tensor([[0, 0], [2, 0]]).reshape(2, 1, 1, 2)
        >>> distances, numbers = nearest(x, [x[:1]], levels=3)
        >>> distances[:, 0], numbers[:, 0]
        (tensor([0.0000, 0.7071], dtype=torch.float64), tensor([0, 0]))
    """
    points = _points(x, levels)
    best = torch.full((len(x), count), math.inf, dtype=torch.float64)
    found = torch.full((len(x), count), -1)
    seen = 0
    for batch in references:
        if batch.shape[1:] != x.shape[1:]:
            raise ShapeError(
                f"Images must have one shape to be compared, got {tuple(x.shape[1:])} and "
                f"{tuple(batch.shape[1:])}."
            )
        others = _points(batch, levels)
        for first in range(0, len(x), batch_size):
            part = slice(first, first + batch_size)
            squares, numbers = _nearest_in(points[part], others, min(count, len(others)))
            best[part], places = torch.cat([best[part], squares], 1).topk(count, largest=False)
            found[part] = torch.cat([found[part], numbers + seen], 1).gather(1, places)
        seen += len(others)
    if seen < count:
        raise ShapeError(f"At least {count} images are needed to compare with, got {seen}.")
    return (best / points.shape[1]).sqrt(), found


def _nearest_in(points: Tensor, others: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Squared distances (N, count) of points to the nearest of others, and their numbers."""
    # |a - b|² = |a|² + |b|² - 2 a·b, of which |a|² does not change what is nearest.
    rough = others.square().sum(1) - 2 * points @ others.T
    numbers = rough.topk(count, largest=False).indices
    # Recomputed without cancellation, so the distance to an exact copy is exactly zero.
    differences = (points[:, None] - others[numbers]).double()
    return differences.square().sum(2), numbers


def _points(x: Tensor, levels: int) -> Tensor:
    """Images as points (N, D) with coordinates in [0, 1]."""
    check_levels(x, levels)
    return to_unit(x, levels).flatten(1)
