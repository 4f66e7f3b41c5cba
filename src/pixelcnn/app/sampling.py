"""Samples of one visitor, row by row and complete."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from pixelcnn.app.models import Choice
from pixelcnn.checkpoint import fingerprint
from pixelcnn.data.conditions import condition_notes
from pixelcnn.data.image_sets import narrow
from pixelcnn.errors import ConfigError
from pixelcnn.inference import PixelCNNSampler, score
from pixelcnn.plots import generation_notes
from pixelcnn.walk import SamplingOptions

MAX_SUBPIXELS = 4_000_000
MAX_FRAMES = 48
SCORE_BATCH = 64
"""Number of images that are scored in one step."""


@dataclass(frozen=True)
class SamplingRequest:
    """What to sample.

    Attributes:
        num_samples: Images, N.
        options: With a condition for each image, and a shape.
    """

    num_samples: int
    options: SamplingOptions

    def __post_init__(self) -> None:
        count = self.num_samples * math.prod(self.shape)
        if count > MAX_SUBPIXELS:
            raise ConfigError(
                f"The page samples at most {MAX_SUBPIXELS:,} sub-pixels at once, got {count:,}: "
                f"sample fewer or smaller images, or use `pixelcnn sample --shards`."
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """(C, H, W)."""
        assert self.options.shape is not None
        return self.options.shape

    @property
    def cond(self) -> Tensor | None:
        """The condition of each image. (N, …); or None."""
        assert self.options.cond is None or isinstance(self.options.cond, Tensor)
        return self.options.cond


@dataclass(frozen=True)
class SamplingProgress:
    """Samples, as far as they are generated.

    Attributes:
        choice: The model.
        request: What to sample.
        frames: Levels after some of the rows, at most `MAX_FRAMES`, the last the newest; unknown
            ones are zero; none before the first row. Each (N, C, H, W), uint8 or int32.
        done: Share of the sub-pixels that are sampled.
        seconds: Wall time so far.
        bits: Of each image given its condition, once all are complete. (N,), float64; or None.
    """

    choice: Choice
    request: SamplingRequest
    frames: tuple[Tensor, ...] = field(default=(), repr=False)
    done: float = 0.0
    seconds: float = 0.0
    bits: Tensor | None = None

    @property
    def images(self) -> Tensor:
        """Levels. (N, C, H, W), int64."""
        return self.frames[-1].long()

    @property
    def is_whole(self) -> bool:
        """Whether every pixel is sampled."""
        return self.done == 1

    @property
    def seconds_left(self) -> float:
        """Extrapolated from the time so far; infinite before the first row."""
        return self.seconds * (1 - self.done) / self.done if self.done else math.inf

    @property
    def stopped(self) -> str:
        """Where sampling stopped, for samples that are no longer in progress; empty at the end."""
        if not self.frames:
            return "stopped before the first row; no samples"
        if not self.is_whole:
            return f"stopped after {self.done:.0%}"
        return "stopped before all bits were measured" if self.bits is None else ""

    @property
    def notes(self) -> dict[str, str]:
        """The settings, for the text chunks of a PNG."""
        request = self.request
        settings = {
            **request.options.plain,
            **condition_notes(request.cond, self.choice.model.condition.kind),
            "num_samples": request.num_samples,
        }
        return generation_notes(fingerprint=fingerprint(self.choice.model), settings=settings)


def sampling_steps(choice: Choice, request: SamplingRequest) -> Iterator[SamplingProgress]:
    """Samples; yields all images after each row, then their bits.

    Raises:
        ShapeError: If size or condition does not fit the model.
        ConfigError: If a setting is out of range.
    """
    sampler, began = PixelCNNSampler(choice.model), time.monotonic()
    steps = sampler.generate_progressively(request.num_samples, **vars(request.options))
    num_rows = request.shape[1] * math.ceil(request.num_samples / request.options.batch_size)
    every = math.ceil(num_rows / MAX_FRAMES)
    frames: tuple[Tensor, ...] = ()
    samples = SamplingProgress(choice, request)
    for row, step in enumerate(steps, 1):
        done = step.num_known / step.num_total
        newest = narrow(step.images, choice.model.num_classes)
        if row % every == 0 or done == 1:
            frames = (*frames, newest)
        shown = frames if frames and frames[-1] is newest else (*frames, newest)
        samples = SamplingProgress(choice, request, shown, done, time.monotonic() - began)
        yield samples
    nats: list[Tensor] = []
    # In parts, so that other visitors get the processor, and that it can be stopped.
    for part in torch.arange(request.num_samples).split(SCORE_BATCH):
        yield samples
        cond = None if request.cond is None else request.cond[part]
        nats.append(score(choice.model, samples.images[part], cond, batch_size=SCORE_BATCH).nats)
    yield replace(samples, bits=torch.cat(nats) / math.log(2))
