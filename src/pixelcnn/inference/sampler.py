"""Drawing many images, and watching them grow."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from pixelcnn.errors import ConfigError, ShapeError
from pixelcnn.models import AutoregressiveModel, Cond
from pixelcnn.walk import Filter, drawing, stepper_for, walk_rows


class Growth(NamedTuple):
    """Images while they are being drawn.

    Attributes:
        image: Levels; zero where nothing is drawn yet. (N, C, H, W), int64, on the CPU.
        num_known: Sub-pixels drawn so far, over all images.
        num_total: Sub-pixels of all images.
    """

    image: Tensor
    num_known: int
    num_total: int


class PixelCNNSampler:
    """Draws images from a model in chunks of bounded memory.

    Image n of a seed has its own noise: it does not depend on how many are drawn beside it.

    Args:
        model: Any architecture.
        device: Where to draw, and where the model is moved; None leaves it where it is.

    Example:
        >>> from pixelcnn.models import PixelCNN
        >>> sampler = PixelCNNSampler(PixelCNN(num_classes=2, image_size=8))
        >>> sampler.generate_samples(num_samples=3, temperature=0.9, seed=1).shape
        torch.Size([3, 1, 8, 8])
    """

    def __init__(
        self, model: AutoregressiveModel, device: str | torch.device | None = None
    ) -> None:
        self.model = model if device is None else model.to(device)

    def generate_samples(
        self,
        num_samples: int = 16,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        guidance: float = 1.0,
        cond: Cond = None,
        seed: int = 0,
        shape: tuple[int, int, int] | None = None,
        batch_size: int = 256,
    ) -> Tensor:
        """Draws images.

        Args:
            num_samples: Images, N.
            temperature: Divides the logits; 1 follows the likelihood.
            top_k: Keeps the k most probable levels.
            top_p: Keeps the most probable levels with that much mass.
            guidance: 0 draws without the labels, 1 with them, more exaggerates them. Needs a
                model with `label_dropout`.
            cond: Labels (N,), attributes (N, A), maps (N, A, H, W); or one for all.
            seed: From 0 to 2**64 - 1; with its number, decides each image.
            shape: (C, H, W); None for the model's own size.
            batch_size: Images drawn together.

        Returns:
            Levels. (N, C, H, W), int64, on the CPU.

        Raises:
            ShapeError: If `shape` or `cond` does not fit the model.
            ConfigError: If a setting is out of range, or the model cannot be guided.
        """
        keep = Filter(temperature, top_k, top_p)
        *_, last = self._grow(num_samples, keep, guidance, cond, seed, shape, batch_size)
        return last.image

    def grow(
        self,
        num_samples: int = 16,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        guidance: float = 1.0,
        cond: Cond = None,
        seed: int = 0,
        shape: tuple[int, int, int] | None = None,
        batch_size: int = 256,
    ) -> Iterator[Growth]:
        """Draws the same images as `generate_samples`, showing them after each row.

        The arguments are those of `generate_samples`; they are checked at once.
        """
        keep = Filter(temperature, top_k, top_p)
        return self._grow(num_samples, keep, guidance, cond, seed, shape, batch_size)

    def _grow(
        self,
        num_samples: int,
        keep: Filter,
        guidance: float,
        cond: Cond,
        seed: int,
        shape: tuple[int, int, int] | None,
        batch_size: int,
    ) -> Iterator[Growth]:
        model = self.model
        model.condition.check_guidance(guidance)
        if not 0 <= seed < 2**64:
            raise ConfigError(f"`seed` must be from 0 to 2**64 - 1, got {seed}.")
        if batch_size < 1:
            raise ShapeError(f"`batch_size` must be at least 1, got {batch_size}.")
        canvas = model.blank(num_samples, shape)
        labels = model.prepare_cond(cond, num_samples)
        model.check(canvas, labels)
        return self._fill(canvas, keep, guidance, labels, seed, batch_size)

    def _fill(
        self,
        canvas: Tensor,
        keep: Filter,
        guidance: float,
        cond: Tensor | None,
        seed: int,
        batch_size: int,
    ) -> Iterator[Growth]:
        num_rows, row_size = canvas.shape[2], canvas[0, :, 0].numel()
        for first in range(0, len(canvas), batch_size):
            chunk = slice(first, first + batch_size)
            x = canvas[chunk]
            choose = drawing(x, seed=seed, first=first, keep=keep)
            part = None if cond is None else cond[chunk]
            stepper = stepper_for(self.model, guidance)
            for rows in walk_rows(stepper, x, choose, cond=part):
                known = (first * num_rows + len(x) * rows) * row_size
                yield Growth(canvas.cpu().clone(), known, canvas.numel())
