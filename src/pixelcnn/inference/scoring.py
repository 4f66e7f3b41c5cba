"""Scoring: the likelihood of images, and the bits of each of their pixels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor

from pixelcnn.arguments import check_choice, named_arguments
from pixelcnn.errors import ConfigError
from pixelcnn.inference.classify import prior_of
from pixelcnn.inference.query import Progress, checked_nats, prepare_images
from pixelcnn.models import AutoregressiveModel, Cond

UNCONDITIONAL = "unconditional"
LABELS_SUMMED_OUT = "labels summed out"
NO_LABEL_OUTPUT = "no-label output"
NO_CONDITION_OUTPUT = "no-condition output"  # of attributes or maps


@dataclass(frozen=True)
class Scores:
    """Likelihoods of N images.

    Attributes:
        bits: Bits of every sub-pixel given all earlier ones. (N, C, H, W), float32, on the CPU.
        nats: Negative log-likelihood of each image. (N,), float64.
        density: Which likelihood: "given the condition", or one of `densities`.

    Example:
        >>> bits = torch.full((1, 3, 2, 2), 8.0)
        >>> scores = Scores(bits, bits.flatten(1).sum(1) * math.log(2))
        >>> round(scores.bits_per_dim.item(), 3), round(scores.perplexity.item())
        (8.0, 256)
        >>> scores.bits_per_pixel
        tensor([[[24., 24.],
                 [24., 24.]]])
    """

    bits: Tensor
    nats: Tensor
    density: str = UNCONDITIONAL

    @property
    def bits_per_dim(self) -> Tensor:
        """Mean bits of a sub-pixel of each image. (N,)."""
        return self.nats / (self.bits[0].numel() * math.log(2))

    @property
    def perplexity(self) -> Tensor:
        """Equally likely levels as hard to guess as a sub-pixel of each image. (N,)."""
        return (self.nats / self.bits[0].numel()).exp()

    @property
    def bits_per_pixel(self) -> Tensor:
        """Bits of each pixel, its channels summed. (N, H, W)."""
        return self.bits.sum(1)

    @property
    def ranking(self) -> Tensor:
        """Numbers of the images, the least probable first. (N,)."""
        return self.nats.argsort(descending=True, stable=True)


@named_arguments
def score(
    model: AutoregressiveModel,
    images: Tensor,
    cond: Cond = None,
    *,
    batch_size: int = 64,
    progress: Progress | None = None,
) -> Scores:
    """Measures the likelihood of images.

    Args:
        model: Any architecture; it is left in the mode it was in.
        images: Levels. (N, C, H, W).
        cond: As the model takes it, (N, …) or one for all. None: p(x) by the model's output
            without a condition.
        batch_size: Images per forward pass.
        progress: Called with the images that are scored, and all.

    Raises:
        ShapeError: If images or condition do not fit the model, or there is no image.
        ConfigError: If `model` is none, `batch_size` is out of range, or the model gives NaN.

    Example:
        >>> from pixelcnn.models import PixelCNN
        >>> scores = score(PixelCNN(num_residual_blocks=1), torch.zeros(3, 1, 8, 8).long())
        >>> scores.nats.shape, scores.bits.shape
        (torch.Size([3]), torch.Size([3, 1, 8, 8]))
    """
    cond, batch_size = prepare_images(model, images, cond, batch_size)
    bits, nats = [], []
    for first in range(0, len(images), batch_size):
        chunk = slice(first, first + batch_size)
        x = images[chunk].to(model.device)
        sites = -checked_nats(model, x, None if cond is None else cond[chunk]).cpu()
        # In double precision: sums over many sub-pixels keep the digits that are reported.
        nats.append(sites.double().flatten(1).sum(1))
        bits.append((sites / math.log(2)).float())
        if progress is not None:
            progress(first + len(x), len(images))
    density = _without_condition(model) if cond is None else "given the condition"
    return Scores(torch.cat(bits), torch.cat(nats), density)


def densities(model: AutoregressiveModel) -> tuple[str, ...]:
    """The ways in which p(x) of a model can be computed exactly.

    Returns:
        "unconditional"; or "labels summed out", "no-label output" (with `label_dropout`) or both;
        or "no-condition output" of attributes or maps (with `label_dropout`).

    Raises:
        ConfigError: If there is none: p(x) would be a sum over all attributes or maps.

    Example:
        >>> from pixelcnn.models import PixelCNN
        >>> densities(PixelCNN()), densities(PixelCNN(num_labels=3, label_dropout=0.1))
        (('unconditional',), ('labels summed out', 'no-label output'))
    """
    condition = model.condition
    found = [LABELS_SUMMED_OUT] if model.num_labels is not None else []
    if condition.is_none or condition.is_optional:
        found.append(_without_condition(model))
    if not found:
        raise ConfigError(
            f"p(x) of a model of {condition.kind} would be a sum over all of them: it has one only "
            f"if it was trained with `label_dropout`."
        )
    return tuple(found)


def _without_condition(model: AutoregressiveModel) -> str:
    if model.condition.is_none:
        return UNCONDITIONAL
    return NO_LABEL_OUTPUT if model.num_labels is not None else NO_CONDITION_OUTPUT


@named_arguments
def score_unconditionally(
    model: AutoregressiveModel,
    images: Tensor,
    *,
    density: str | None = None,
    prior: Tensor | Sequence[float] | None = None,
    batch_size: int = 64,
    progress: Progress | None = None,
) -> Scores:
    """Measures p(x), the probability of images without a condition.

    With "labels summed out" p(x) = Σ p(label) p(x | label), and the bits of a sub-pixel are those
    of p(sub-pixel | all earlier ones), likewise summed: the earlier sub-pixels also tell which
    labels are likely. A model with `label_dropout` has a second p(x), its output without a label.
    Both are densities; the one under which all images together are more probable is returned.

    Args:
        model: Any architecture; it is left in the mode it was in.
        images: Levels. (N, C, H, W).
        density: One of `densities(model)`. None: the better in total over these images.
        prior: p(label), (L,); uniform by default. Only read where labels are summed out.
        batch_size: Images per forward pass.
        progress: Called with the passes over images that are done, and all.

    Returns:
        The scores; `density` says how they were computed.

    Raises:
        ConfigError: If the model needs attributes or maps, over which no sum can be taken, has no
            such density, or if `prior` is no distribution over the labels.
        ShapeError: If the images do not fit the model, or there is none.

    Example:
        >>> from pixelcnn.models import PixelCNN
        >>> model = PixelCNN(num_residual_blocks=1, num_labels=3)
        >>> scores = score_unconditionally(model, torch.zeros(2, 1, 4, 4).long())
        >>> scores.density, scores.nats.shape
        ('labels summed out', torch.Size([2]))
    """
    ways = densities(model)
    if density is not None:
        check_choice("density", density, ways)
        ways = (density,)
    found: list[Scores] = []
    for number, way in enumerate(ways):
        report = _part_of(progress, number, len(ways))
        if way == LABELS_SUMMED_OUT:
            found.append(_score_summed(model, images, prior, batch_size, report))
        else:
            found.append(score(model, images, batch_size=batch_size, progress=report))
    return min(found, key=lambda scores: float(scores.nats.sum()))


def _part_of(progress: Progress | None, number: int, count: int) -> Progress | None:
    """Reports one of several runs over the same images as a part of all of them."""
    if progress is None:
        return None
    return lambda done, total: progress(number * total + done, count * total)


def _score_summed(
    model: AutoregressiveModel,
    images: Tensor,
    prior: Tensor | Sequence[float] | None,
    batch_size: int,
    progress: Progress | None,
) -> Scores:
    assert model.num_labels is not None
    log_prior = prior_of(prior, model.num_labels)
    _, batch_size = prepare_images(model, images, 0, batch_size)
    parts = []
    for first in range(0, len(images), batch_size):
        x = images[first : first + batch_size].to(model.device)
        parts.append(_summed(model, x, log_prior))
        if progress is not None:
            progress(first + len(x), len(images))
    bits = torch.cat(parts)
    return Scores(bits.float(), bits.flatten(1).sum(1) * math.log(2), LABELS_SUMMED_OUT)


def _summed(model: AutoregressiveModel, x: Tensor, log_prior: Tensor) -> Tensor:
    """Bits of each sub-pixel given the earlier ones, labels summed out. (B, C, H, W), float64."""
    channels, height = x.shape[1:3]
    joint = []  # log p(label, the first t sub-pixels), for each label
    for label, log_share in enumerate(log_prior):
        sites = checked_nats(model, x, label).cpu().double()
        # Raster order: the channels of a pixel come after one another.
        joint.append(rearrange(sites, "b c h w -> b (h w c)").cumsum(1) + log_share)
    so_far = torch.stack(joint).logsumexp(0)
    nats = -so_far.diff(dim=1, prepend=torch.zeros_like(so_far[:, :1]))
    return rearrange(nats / math.log(2), "b (h w c) -> b c h w", c=channels, h=height)
