"""Out-of-distribution (OOD) detection by likelihood."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pixelcnn.errors import ConfigError, ShapeError
from pixelcnn.inference import score_unconditionally
from pixelcnn.inference.query import Progress
from pixelcnn.metrics.complexity import png_bits
from pixelcnn.metrics.roc import Auc, roc_auc
from pixelcnn.models import AutoregressiveModel

METHODS = {
    "likelihood": "-log p(x)",
    "likelihood_ratio": "log p of the background model - log p(x)",
    "complexity_corrected": "-log p(x) - bits of the PNG file",
}
"""The score of each method; higher for images that are more likely OOD."""


@dataclass(frozen=True)
class OODDetection:
    """Scores of in- and out-of-distribution images, and how well they tell these apart.

    Attributes:
        inliers: Scores in bits of in-distribution images, by method. (N,), float64.
        outliers: Scores in bits of OOD images, by method. (M,), float64.
        auc: Area under the ROC curve, by method.
    """

    inliers: Mapping[str, Tensor]
    outliers: Mapping[str, Tensor]
    auc: Mapping[str, Auc]

    def as_dict(self) -> dict[str, Any]:
        """The areas in JSON types."""
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
    """Detects OOD images by likelihood, and by corrections of it.

    All images are scored by p(x), without labels: those of OOD images mean nothing to a model,
    and to condition on those of the inliers alone would be unfair.

    Args:
        model: Any architecture that has a p(x), see `score_unconditionally`.
        inliers: Levels of held-out images of the model's distribution. (N, C, H, W).
        outliers: Levels of images of another distribution. (M, C, H, W).
        background: A model of what both distributions share, such as one trained on the same
            images with noise (`mutation_rate`). None leaves the likelihood ratio out.
        batch_size: Images per forward pass.
        progress: Called with the images scored so far, and all.

    Raises:
        ConfigError: If the background model has other levels or channels, or a model has no p(x).
        ShapeError: If images do not fit the model, or the sets differ in their shape.

    References:
        Do deep generative models know what they don't know? (Nalisnick et al., 2019), for the
        failure of plain likelihood, https://arxiv.org/abs/1810.09136. Likelihood ratios for
        out-of-distribution detection (Ren et al., 2019), section 3,
        https://arxiv.org/abs/1906.02845. Input complexity and out-of-distribution detection with
        likelihood-based generative models (Serrà et al., 2020), section 3,
        https://arxiv.org/abs/1909.11480.

    Example:
        >>> from pixelcnn.runs import load
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
            f"The background model must have {model.num_classes} levels and {model.in_channels} "
            f"channels as the model has, got {background.num_classes} and "
            f"{background.in_channels}. Train it on the same images."
        )
    if inliers.shape[1:] != outliers.shape[1:]:
        raise ShapeError(
            f"Both sets must have images of one shape (C, H, W), as bits depend on it, got "
            f"{tuple(inliers.shape[1:])} and {tuple(outliers.shape[1:])}. Resize one of them."
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
    """Scores in bits by method, higher for OOD images. (N,)."""

    def bits(of: AutoregressiveModel) -> Tensor:
        found = score_unconditionally(of, x, batch_size=batch_size, progress=progress)
        return found.nats / math.log(2)

    plain = bits(model)
    scores = {"likelihood": plain}
    if background is not None:
        scores["likelihood_ratio"] = plain - bits(background)
    scores["complexity_corrected"] = plain - png_bits(x, model.num_classes)
    return scores
