"""Telling images of another kind by how probable a model finds them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]
from torch import Tensor

from pixelcnn.errors import ConfigError
from pixelcnn.inference import score_unconditionally
from pixelcnn.inference.query import Progress
from pixelcnn.metrics.complexity import png_bits
from pixelcnn.models import AutoregressiveModel

METHODS = {
    "likelihood": "-log p(x)",
    "likelihood_ratio": "log p of the background model - log p(x)",
    "complexity_corrected": "-log p(x) - bits of the PNG file",
}
"""What each score is; the higher, the more an image looks like an outlier."""


class Auc(NamedTuple):
    """The area under the ROC curve: how often an outlier scores above an inlier, ties by half.

    Attributes:
        auc: 1 tells all apart, 0.5 is a coin, and 0 has all the wrong way round.
        stderr: Its standard error over images; None for fewer than two of either kind.
    """

    auc: float
    stderr: float | None


@dataclass(frozen=True)
class OODDetection:
    """How well outliers are told from inliers.

    Attributes:
        inliers: Scores in bits of the images of the model's own kind, by method. (N,), float64.
        outliers: Likewise of the others. (M,).
        auc: By method.
    """

    inliers: Mapping[str, Tensor]
    outliers: Mapping[str, Tensor]
    auc: Mapping[str, Auc]

    def as_dict(self) -> dict[str, Any]:
        """The figures in JSON types."""
        return {
            method: {**found._asdict(), "score": METHODS[method]}
            for method, found in self.auc.items()
        }


def detect_ood(
    model: AutoregressiveModel,
    inliers: Tensor,
    outliers: Tensor,
    *,
    background: AutoregressiveModel | None = None,
    batch_size: int = 64,
    progress: Progress | None = None,
) -> OODDetection:
    """Tells outliers from inliers by likelihood, and by what has been proposed to mend it.

    Both kinds are scored by p(x), whatever labels they have: labels of other images mean nothing
    to a model, and being told those of its own alone would be unfair.

    Args:
        model: Any architecture that has a p(x), see `score_unconditionally`.
        inliers: Levels of images that the model was not trained on, but might have been.
            (N, C, H, W).
        outliers: Levels of images of another kind, as many levels and channels. (M, C, H, W).
        background: A model of what all such images share, such as one that was trained on the
            same images with noise (`mutation_rate`). None leaves the likelihood ratio out.
        batch_size: Images per forward pass.
        progress: Is told the images that are done, and all.

    Raises:
        ConfigError: If the background is of other images, or a model has no p(x).
        ShapeError: If images do not fit the model.

    References:
        Do deep generative models know what they don't know? (Nalisnick et al., 2019), for the
        failure of plain likelihood, https://arxiv.org/abs/1810.09136. Likelihood ratios for
        out-of-distribution detection (Ren et al., 2019), section 3,
        https://arxiv.org/abs/1906.02845. Input complexity and out-of-distribution detection with
        likelihood-based generative models (Serrà et al., 2020), section 3,
        https://arxiv.org/abs/1909.11480.

    Example:
        >>> from pixelcnn.checkpoint import load
        >>> from pixelcnn.data import load_data
        >>> digits = load_data("digits").test.images[:100].long()
        >>> upside_down = digits.flip(2, 3)
        >>> found = detect_ood(load("digits"), digits, upside_down)
        >>> found.auc["likelihood"].auc > 0.7
        True
    """
    if background is not None and (background.in_channels, background.num_classes) != (
        model.in_channels,
        model.num_classes,
    ):
        raise ConfigError(
            f"The background model must be of {model.num_classes} levels and "
            f"{model.in_channels} channels as the model is, got {background.num_classes} and "
            f"{background.in_channels}."
        )
    both = torch.cat([inliers, outliers.to(inliers.device)])
    scores = _scores(model, both, background, batch_size, progress)
    count = len(inliers)
    inside = {method: values[:count] for method, values in scores.items()}
    outside = {method: values[count:] for method, values in scores.items()}
    found = {method: roc_auc(inside[method], outside[method]) for method in scores}
    return OODDetection(inside, outside, found)


def _scores(
    model: AutoregressiveModel,
    x: Tensor,
    background: AutoregressiveModel | None,
    batch_size: int,
    progress: Progress | None,
) -> dict[str, Tensor]:
    """Bits by method, higher where images look like outliers. (N,)."""

    def bits(of: AutoregressiveModel) -> Tensor:
        found = score_unconditionally(of, x, batch_size=batch_size, progress=progress)
        return found.nats / math.log(2)

    plain = bits(model)
    scores = {"likelihood": plain}
    if background is not None:
        scores["likelihood_ratio"] = plain - bits(background)
    scores["complexity_corrected"] = plain - png_bits(x, model.num_classes)
    return scores


def roc_auc(inliers: Tensor, outliers: Tensor) -> Auc:
    """The area under the ROC curve of scores that are higher for outliers.

    Args:
        inliers: Scores. (N,).
        outliers: Scores. (M,).

    Returns:
        The area with its standard error, which takes images of both kinds as drawn at random.

    References:
        Comparing the areas under two or more correlated receiver operating characteristic curves
        (DeLong et al., 1988): the variance by placements.

    Example:
        >>> roc_auc(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 2.0])).auc
        0.875
    """
    is_outlier = torch.cat([torch.zeros(len(inliers)), torch.ones(len(outliers))])
    area = float(roc_auc_score(is_outlier.numpy(), torch.cat([inliers, outliers]).numpy()))
    if min(len(inliers), len(outliers)) < 2:
        return Auc(area, None)
    variance = sum(
        _placements(some, others).var().item() / len(some)
        for some, others in ((inliers, outliers), (outliers, inliers))
    )
    return Auc(area, math.sqrt(variance))


def _placements(some: Tensor, others: Tensor) -> Tensor:
    """The share of the other scores below each of some, ties by half. (N,)."""
    ranked = others.sort().values
    below, upto = (torch.searchsorted(ranked, some, right=right) for right in (False, True))
    return (below + upto).double() / (2 * len(others))
