"""Classifying by Bayes' rule."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pixelcnn.arguments import named_arguments, numbers_of
from pixelcnn.errors import ConfigError, ShapeError
from pixelcnn.inference.query import Progress, check_model, checked_nats, prepare_images
from pixelcnn.models import AutoregressiveModel

MASS_TOLERANCE = 1e-4


@dataclass(frozen=True)
class ClassPosterior:
    """The posterior of the labels of N images, by a model of p(x | label).

    Attributes:
        log_joint: log p(x | label) + log p(label), in nats. (N, L), float64, on the CPU.
        by_pixel: log p(label | the first t pixels) for t from 0 to H W, in raster order; None if
            `by_pixel` was not set. (N, 1 + H W, L), float64.
    """

    log_joint: Tensor
    by_pixel: Tensor | None = None

    @property
    def log_probs(self) -> Tensor:
        """log p(label | x). (N, L)."""
        return self.log_joint.log_softmax(1)

    @property
    def probabilities(self) -> Tensor:
        """p(label | x). (N, L)."""
        return self.log_joint.softmax(1)

    @property
    def predicted(self) -> Tensor:
        """The most probable label of each image. (N,), int64."""
        return self.log_joint.argmax(1)

    @property
    def log_prob(self) -> Tensor:
        """log p(x), the labels summed out under their prior. (N,)."""
        return self.log_joint.logsumexp(1)


@named_arguments
def classify(
    model: AutoregressiveModel,
    images: Tensor,
    *,
    prior: Tensor | Sequence[float] | None = None,
    by_pixel: bool = False,
    batch_size: int = 64,
    progress: Progress | None = None,
) -> ClassPosterior:
    """Finds p(label | image) by Bayes' rule: p(image | label) p(label), normalised.

    Args:
        model: Conditioned on labels; it is left in the mode it was in.
        images: Levels. (N, C, H, W).
        prior: p(label), (L,); uniform by default.
        by_pixel: Whether to return the posterior after each pixel.
        batch_size: Images per forward pass; each label has its own.
        progress: Called with the passes over an image that are done, and all, N × L.

    Raises:
        ConfigError: If the model has no labels, or gives NaN, if `prior` is no distribution over
            them, or `batch_size` is out of range.
        ShapeError: If the images do not fit the model, or there are none.

    Example:
        >>> from pixelcnn.models import PixelCNN
        >>> model = PixelCNN(num_residual_blocks=1, num_labels=3)
        >>> found = classify(model, torch.zeros(2, 1, 4, 4).long(), by_pixel=True)
        >>> found.probabilities.shape, found.by_pixel.shape
        (torch.Size([2, 3]), torch.Size([2, 17, 3]))
    """
    check_model(model)
    if model.num_labels is None:
        raise ConfigError("`model` must be conditioned on labels. Train one with `num_labels`.")
    log_prior = prior_of(prior, model.num_labels)
    _, batch_size = prepare_images(model, images, 0, batch_size)
    joint, posteriors = [], []
    for first in range(0, len(images), batch_size):
        x = images[first : first + batch_size].to(model.device)
        by_label = []
        for label in range(model.num_labels):
            sites = checked_nats(model, x, label).cpu().double()
            by_label.append(sites.sum(1).flatten(1))
            if progress is not None:
                done = first * model.num_labels + len(x) * (label + 1)
                progress(done, len(images) * model.num_labels)
        pixels = torch.stack(by_label, 2)  # (B, H W, L)
        joint.append(pixels.sum(1) + log_prior)
        if by_pixel:
            posteriors.append(_posteriors(pixels, log_prior))
    return ClassPosterior(torch.cat(joint), torch.cat(posteriors) if by_pixel else None)


def _posteriors(pixels: Tensor, log_prior: Tensor) -> Tensor:
    """Posteriors after each pixel, from log p(pixel | earlier, label) (B, T, L). (B, 1 + T, L)."""
    nothing_seen = torch.zeros_like(pixels[:, :1])
    return (torch.cat([nothing_seen, pixels], 1).cumsum(1) + log_prior).log_softmax(2)


def prior_of(prior: Tensor | Sequence[float] | None, num_labels: int) -> Tensor:
    """The logarithms of p(label), (L,), float64: those given, checked, or uniform."""
    if prior is None:
        return torch.full((num_labels,), -math.log(num_labels), dtype=torch.float64)
    must = f"{num_labels} probabilities, one per label"
    given = numbers_of("prior", prior, must, dtype=torch.float64).cpu()
    if given.shape != (num_labels,):
        raise ShapeError(
            f"`prior` must hold {num_labels} numbers, one per label, got shape "
            f"{tuple(given.shape)}."
        )
    if not (given >= 0).all() or abs(given.sum().item() - 1) > MASS_TOLERANCE:
        raise ConfigError(
            f"`prior` must be probabilities that sum to 1, got {given.tolist()}. Divide them by "
            f"their sum."
        )
    return given.log()
