"""Drawing many images, and watching them grow."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

from pixelcnn.arguments import seed_number, whole_number
from pixelcnn.inference.precision import Precision, RoundedModel, in_precision
from pixelcnn.inference.query import check_model, check_nats, evaluating
from pixelcnn.models import AutoregressiveModel, Cond
from pixelcnn.walk import Filter, RepeatedSampling, Walkable, recorder_for

Report: TypeAlias = Callable[[int, int], None]
"""Told how many sub-pixels are drawn so far, and how many there will be."""


CHECKED_SIDE = 32  # of an image whose numbers stand for those of its batch


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


@dataclass(frozen=True)
class _Plan:
    """What shall be drawn, checked.

    Attributes:
        num_samples: Images, N.
        first: Number of the first.
        blank: Zeros in the shape of a batch. (batch_size, C, H, W), int64.
        cond: One for each image. (N, …); or None.
        keep: Temperature, top-k, top-p.
        guidance: See `PixelCNNSampler.generate_samples`.
        seed: Likewise.
        model: What is walked.
    """

    num_samples: int
    first: int
    blank: Tensor
    cond: Tensor | None
    keep: Filter
    guidance: float
    seed: int
    model: Walkable


class PixelCNNSampler:
    """Draws images from a model in batches of bounded memory.

    Image n of a seed has its own noise: it does not depend on how many are drawn beside it. Its
    logits are the same in every batch but for the last bit, since products of other sizes are
    summed in another order. In float32 a draw may, very rarely, land on either side of such a bit;
    batches of one size by image number leave no such chance.

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
        check_model(model)
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
        precision: Precision = "float32",
        on_progress: Report | None = None,
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
            precision: "bf16" or "16" draws from a copy of the network in so many bits; see
                `pixelcnn.inference.precision`.
            on_progress: Told after every row.

        Returns:
            Levels. (N, C, H, W), int64, on the CPU.

        Raises:
            ShapeError: If `shape` or `cond` does not fit the model.
            ConfigError: If a setting is out of range, or the model cannot be guided.
        """
        keep = Filter(temperature, top_k, top_p)
        plan = self._plan(num_samples, 0, keep, guidance, cond, seed, shape, batch_size, precision)
        images = torch.empty(plan.num_samples, *plan.blank.shape[1:], dtype=torch.int64)
        for start, batch in self._batches(plan, on_progress):
            images[start : start + len(batch)] = batch
        return images

    def stream(
        self,
        num_samples: int,
        *,
        first: int = 0,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        guidance: float = 1.0,
        cond: Cond = None,
        seed: int = 0,
        shape: tuple[int, int, int] | None = None,
        batch_size: int = 256,
        precision: Precision = "float32",
        on_progress: Report | None = None,
    ) -> Iterator[Tensor]:
        """Draws images a batch at a time: no more than one is held, whatever their number.

        Args:
            num_samples: Images, N.
            first: Number of the first. Images `first` … are those that `generate_samples` gives
                at these places, to the bit where `first` is a multiple of `batch_size`.
            temperature: All others are those of `generate_samples`, and are checked at once.
            top_k: Likewise.
            top_p: Likewise.
            guidance: Likewise.
            cond: One for each of the N images, or one for all.
            seed: Likewise.
            shape: Likewise.
            batch_size: Likewise.
            precision: Likewise.
            on_progress: Likewise.

        Returns:
            An iterator of levels. (B, C, H, W), int64, on the CPU.

        Raises:
            ShapeError: If `shape` or `cond` does not fit the model.
            ConfigError: If a setting is out of range, or the model cannot be guided.
        """
        keep = Filter(temperature, top_k, top_p)
        plan = self._plan(
            num_samples, first, keep, guidance, cond, seed, shape, batch_size, precision
        )
        return (batch for _, batch in self._batches(plan, on_progress))

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
        precision: Precision = "float32",
    ) -> Iterator[Growth]:
        """Draws the same images as `generate_samples`, showing all of them after each row.

        The arguments are those of `generate_samples`; they are checked at once.
        """
        keep = Filter(temperature, top_k, top_p)
        plan = self._plan(num_samples, 0, keep, guidance, cond, seed, shape, batch_size, precision)
        return self._grow(plan)

    def _plan(
        self,
        num_samples: int,
        first: int,
        keep: Filter,
        guidance: float,
        cond: Cond,
        seed: int,
        shape: tuple[int, int, int] | None,
        batch_size: int,
        precision: Precision,
    ) -> _Plan:
        model = self.model
        model.condition.check_guidance(guidance)
        seed = seed_number(seed)
        first = whole_number("first", first, at_least=0)
        batch_size = whole_number("batch_size", batch_size)
        num_samples = whole_number("num_samples", num_samples)
        blank = model.blank(min(num_samples, batch_size), shape)
        cond = model.prepare_cond(cond, num_samples)
        # Of the images only the shape is asked, and no memory is there for all of them.
        model.condition.check(cond, blank[:1].expand(num_samples, -1, -1, -1))
        walked = in_precision(model, precision)
        return _Plan(num_samples, first, blank, cond, keep, guidance, seed, walked)

    def _walks(self, plan: _Plan) -> Iterator[tuple[int, Tensor, int]]:
        """After each row of each batch: the batch's place, its levels and its rows so far."""
        drawing = RepeatedSampling(
            plan.model,
            guidance=plan.guidance,
            keep=plan.keep,
            seed=plan.seed,
            recorder=recorder_for(plan.blank.device),
        )
        for start in range(0, plan.num_samples, len(plan.blank)):
            x = plan.blank[: plan.num_samples - start].clone()
            cond = None if plan.cond is None else plan.cond[start : start + len(x)]
            for rows in drawing.rows(x, first=plan.first + start, cond=cond):
                if rows == x.shape[2]:
                    self._check(plan, x, cond)
                yield start, x, rows

    def _check(self, plan: _Plan, x: Tensor, cond: Tensor | None) -> None:
        """Refuses what is drawn by logits that are no numbers: all of its levels are 0."""
        if isinstance(plan.model, RoundedModel):
            plan.model.check()
            return
        side = CHECKED_SIDE
        if cond is not None:
            cond = cond[:1, :, :side, :side] if cond.ndim == 4 else cond[:1]
        with evaluating(self.model):
            nats = self.model.site_log_prob(x[:1, :, :side, :side], cond, check=False)
        check_nats(nats)

    def _batches(self, plan: _Plan, on_progress: Report | None) -> Iterator[tuple[int, Tensor]]:
        channels, height, width = plan.blank.shape[1:]
        for start, x, rows in self._walks(plan):
            if on_progress is not None:
                done = (start * height + len(x) * rows) * channels * width
                on_progress(done, plan.num_samples * channels * height * width)
            if rows == height:
                yield start, x.cpu()

    def _grow(self, plan: _Plan) -> Iterator[Growth]:
        canvas = torch.zeros(plan.num_samples, *plan.blank.shape[1:], dtype=torch.int64)
        num_rows, row_size = canvas.shape[2], canvas[0, :, 0].numel()
        for start, x, rows in self._walks(plan):
            canvas[start : start + len(x)] = x.cpu()
            known = (start * num_rows + len(x) * rows) * row_size
            yield Growth(canvas.clone(), known, canvas.numel())
