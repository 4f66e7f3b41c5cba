"""Scoring: how probable images are, and which of their pixels were hard to guess."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from pixelcnn.arguments import check_tensor, whole_number
from pixelcnn.errors import ShapeError
from pixelcnn.inference.query import Progress, check_model, check_nats, evaluating
from pixelcnn.models import AutoregressiveModel, Cond


@dataclass(frozen=True)
class Scores:
    """What a model says of N images.

    Attributes:
        bits: Bits of every sub-pixel given all earlier ones. (N, C, H, W), float32, on the CPU.
        nats: Negative log-likelihood of each image. (N,), float64.

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
        """The map of surprise: bits of each pixel, its channels summed. (N, H, W)."""
        return self.bits.sum(1)

    @property
    def ranking(self) -> Tensor:
        """Numbers of the images, the most surprising first. (N,)."""
        return self.nats.argsort(descending=True, stable=True)


def score(
    model: AutoregressiveModel,
    images: Tensor,
    cond: Cond = None,
    *,
    batch_size: int = 64,
    progress: Progress | None = None,
) -> Scores:
    """Measures how probable images are.

    Args:
        model: Any architecture; it is left in the mode it was in.
        images: Levels. (N, C, H, W).
        cond: As the model takes it, (N, …) or one for all; None measures p(x) where the model
            can do without.
        batch_size: Images per forward pass.
        progress: Is told the images that are done, and all.

    Raises:
        ShapeError: If images or condition do not fit the model, or there is no image.
        ConfigError: If `model` is none, `batch_size` is out of range, or the model gives NaN.

    Example:
        >>> from pixelcnn.models import PixelCNN
        >>> scores = score(PixelCNN(num_residual_blocks=1), torch.zeros(3, 1, 8, 8).long())
        >>> scores.nats.shape, scores.bits.shape
        (torch.Size([3]), torch.Size([3, 1, 8, 8]))
    """
    cond, batch_size = checked(model, images, cond, batch_size)
    bits, nats = [], []
    with evaluating(model):
        for first in range(0, len(images), batch_size):
            chunk = slice(first, first + batch_size)
            x = images[chunk].to(model.device)
            told = None if cond is None else cond[chunk]
            sites = -model.site_log_prob(x, told, check=False).cpu()
            check_nats(sites)
            # In double precision: sums over many sub-pixels keep the digits that are reported.
            nats.append(sites.double().flatten(1).sum(1))
            bits.append((sites / math.log(2)).float())
            if progress is not None:
                progress(first + len(x), len(images))
    return Scores(torch.cat(bits), torch.cat(nats))


def checked(
    model: AutoregressiveModel, images: Tensor, cond: Cond, batch_size: int
) -> tuple[Tensor | None, int]:
    """The condition of each image, (N, …) or None, and the batch size, once everything fits."""
    check_model(model)
    check_tensor("images", images, "integer levels")
    if images.ndim != 4 or not images.numel():
        raise ShapeError(
            f"`images` must be levels (N, C, H, W) of at least one image, got shape "
            f"{tuple(images.shape)}."
        )
    cond = model.prepare_cond(cond, len(images))
    model.check(images, cond, name="images")
    return cond, whole_number("batch_size", batch_size)
