"""Sampling many images in batches, and watching them being sampled."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from typing_extensions import Unpack

from pixelcnn.arguments import named_arguments, whole_number
from pixelcnn.device import resolve_device
from pixelcnn.inference.query import Progress, check_model, checked_nats
from pixelcnn.models import AutoregressiveModel
from pixelcnn.models.generation import prepare_sampling
from pixelcnn.walk import RepeatedSampling, SamplingKeywords, SamplingOptions, recorder_for

CHECKED_SIDE = 32  # pixels of an image that are checked for NaN, on behalf of its batch


class PartialSamples(NamedTuple):
    """Images while they are being sampled.

    Attributes:
        images: Levels; zero where nothing is sampled yet. (N, C, H, W), int64, on the CPU.
        num_known: Sub-pixels sampled so far, over all images.
        num_total: Sub-pixels of all images.
    """

    images: Tensor
    num_known: int
    num_total: int


class _Plan(NamedTuple):
    """Samples to take, checked.

    Attributes:
        num_samples: Images, N.
        first: Number of the first.
        blank: Zeros in the shape of a batch. (B, C, H, W), int64.
        cond: One for each image. (N, …); or None.
        options: How to sample.
    """

    num_samples: int
    first: int
    blank: Tensor
    cond: Tensor | None
    options: SamplingOptions


@named_arguments
class PixelCNNSampler:
    """Samples images from a model in batches of bounded memory.

    Image n of a seed has its own noise: it does not depend on the number of images sampled beside
    it. Its logits are the same in every batch but for the last bit, since products of other sizes
    are summed in another order. In float32 a sampled level may, very rarely, land on either side
    of such a bit; batches of one size by image number exclude that.

    Args:
        model: Any architecture.
        device: Where to sample, and where the model is moved: "cpu", "cuda", "cuda:1", "mps" or
            "auto"; None leaves it where it is.

    Raises:
        ConfigError: If `model` is no model, or the device does not exist.

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
        self.model = model if device is None else model.to(resolve_device(device))

    def generate_samples(
        self,
        num_samples: int = 16,
        *,
        shape: tuple[int, ...] | None = None,
        on_progress: Progress | None = None,
        **options: Unpack[SamplingKeywords],
    ) -> Tensor:
        """Samples images.

        Args:
            num_samples: Images, N.
            shape: (C, H, W); None for the model's own size, 32 × 32 pixels if it has none.
            on_progress: Called after every row with the sub-pixels sampled so far, and all.
            **options: `temperature`, `top_k`, `top_p`, `guidance`, `cond`, `seed`, `batch_size`,
                `precision`: see `pixelcnn.SamplingOptions`.

        Returns:
            Levels. (N, C, H, W), int64, on the CPU.

        Raises:
            ShapeError: If `shape` or `cond` does not fit the model.
            ConfigError: If an option is out of range, or the model cannot be guided.
        """
        plan = self._plan(num_samples, SamplingOptions.of(options, shape))
        images = torch.empty(plan.num_samples, *plan.blank.shape[1:], dtype=torch.int64)
        for start, batch in self._batches(plan, on_progress):
            images[start : start + len(batch)] = batch
        return images

    def stream(
        self,
        num_samples: int,
        *,
        first: int = 0,
        shape: tuple[int, ...] | None = None,
        on_progress: Progress | None = None,
        **options: Unpack[SamplingKeywords],
    ) -> Iterator[Tensor]:
        """Samples images a batch at a time: the memory is that of one batch.

        The arguments are those of `generate_samples`, with the same errors; they are checked at
        the call.

        Args:
            num_samples: Images, N.
            first: Number of the first. Images `first` … are those that `generate_samples` gives
                at these places, to the bit where `first` is a multiple of `batch_size`.
            shape: As `generate_samples`.
            on_progress: As `generate_samples`.
            **options: As `generate_samples`.

        Returns:
            An iterator of levels. (B, C, H, W), int64, on the CPU.
        """
        plan = self._plan(num_samples, SamplingOptions.of(options, shape), first)
        return (batch for _, batch in self._batches(plan, on_progress))

    def generate_progressively(
        self,
        num_samples: int = 16,
        *,
        shape: tuple[int, ...] | None = None,
        **options: Unpack[SamplingKeywords],
    ) -> Iterator[PartialSamples]:
        """Samples the images of `generate_samples`, showing all of them after each row.

        The arguments are those of `generate_samples`, with the same errors; they are checked at
        the call.
        """
        return self._partial(self._plan(num_samples, SamplingOptions.of(options, shape)))

    def _plan(self, num_samples: int, options: SamplingOptions, first: int = 0) -> _Plan:
        first = whole_number("first", first, at_least=0)
        blank, cond = prepare_sampling(
            self.model, num_samples, options, num_blank=options.batch_size
        )
        return _Plan(int(num_samples), first, blank, cond, options)

    def _walks(self, plan: _Plan) -> Iterator[tuple[int, Tensor, int]]:
        """After each row of each batch: the batch's place, its levels and its rows so far."""
        sampling = RepeatedSampling(
            self.model, plan.options, recorder=recorder_for(plan.blank.device)
        )
        for start in range(0, plan.num_samples, len(plan.blank)):
            x = plan.blank[: plan.num_samples - start].clone()
            cond = None if plan.cond is None else plan.cond[start : start + len(x)]
            for rows in sampling.rows(x, first=plan.first + start, cond=cond):
                if rows == x.shape[2] and sampling.model is self.model:
                    self._check(x, cond)
                yield start, x, rows

    def _check(self, x: Tensor, cond: Tensor | None) -> None:
        """Refuses samples from logits that are NaN: all of their levels are 0."""
        side = CHECKED_SIDE
        if cond is not None:
            cond = cond[:1, :, :side, :side] if cond.ndim == 4 else cond[:1]
        checked_nats(self.model, x[:1, :, :side, :side], cond)

    def _batches(self, plan: _Plan, on_progress: Progress | None) -> Iterator[tuple[int, Tensor]]:
        channels, height, width = plan.blank.shape[1:]
        for start, x, rows in self._walks(plan):
            if on_progress is not None:
                done = (start * height + len(x) * rows) * channels * width
                on_progress(done, plan.num_samples * channels * height * width)
            if rows == height:
                yield start, x.cpu()

    def _partial(self, plan: _Plan) -> Iterator[PartialSamples]:
        canvas = torch.zeros(plan.num_samples, *plan.blank.shape[1:], dtype=torch.int64)
        num_rows, row_size = canvas.shape[2], canvas[0, :, 0].numel()
        for start, x, rows in self._walks(plan):
            canvas[start : start + len(x)] = x.cpu()
            known = (start * num_rows + len(x) * rows) * row_size
            yield PartialSamples(canvas.clone(), known, canvas.numel())
