"""Images of one visitor while they are drawn, and afterwards."""

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

MOST_SUBPIXELS = 4_000_000
MOST_FRAMES = 48
SCORED = 64
"""Images whose bits are measured in one step."""


@dataclass(frozen=True)
class SamplingRequest:
    """What shall be drawn.

    Attributes:
        num_samples: Images, N.
        options: How, with a condition for each and a shape.
    """

    num_samples: int
    options: SamplingOptions

    def __post_init__(self) -> None:
        count = self.num_samples * math.prod(self.shape)
        if count > MOST_SUBPIXELS:
            raise ConfigError(
                f"The page draws at most {MOST_SUBPIXELS:,} sub-pixels at once, got {count:,}: ask "
                f"for fewer or smaller images, or use `pixelcnn sample --shards`."
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """(C, H, W)."""
        assert self.options.shape is not None
        return self.options.shape

    @property
    def cond(self) -> Tensor | None:
        """One for each. (N, …); or None."""
        assert self.options.cond is None or isinstance(self.options.cond, Tensor)
        return self.options.cond


@dataclass(frozen=True)
class SamplingProgress:
    """Images as far as they are drawn.

    Attributes:
        choice: The model.
        wish: What was asked.
        frames: Levels as they grew, at most `MOST_FRAMES` of them, the last the newest; unknown
            ones are zero; none before the first row. Each (N, C, H, W), uint8 or int32.
        done: Share of the sub-pixels that are known.
        seconds: How long it took so far.
        bits: Of each image given its condition, once all are whole. (N,), float64; or None.
    """

    choice: Choice
    wish: SamplingRequest
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
        """Whether everything is drawn."""
        return self.done == 1

    @property
    def seconds_left(self) -> float:
        """At the pace so far; infinite before the first row."""
        return self.seconds * (1 - self.done) / self.done if self.done else math.inf

    @property
    def stopped(self) -> str:
        """Where it was stopped, if it is not under way any more; empty if it was not."""
        if not self.frames:
            return "stopped before the first row; nothing drawn"
        if not self.is_whole:
            return f"stopped after {self.done:.0%}"
        return "stopped before all bits were measured" if self.bits is None else ""

    @property
    def notes(self) -> dict[str, str]:
        """How the images were made, for the text chunks of a PNG."""
        wish = self.wish
        settings = {
            **wish.options.plain,
            **condition_notes(wish.cond, self.choice.model.condition.kind),
            "num_samples": wish.num_samples,
        }
        return generation_notes(fingerprint=fingerprint(self.choice.model), settings=settings)


def drawing(choice: Choice, wish: SamplingRequest) -> Iterator[SamplingProgress]:
    """Draws, and shows all images after each row, then their bits.

    Raises:
        ShapeError: If size or condition does not fit the model.
        ConfigError: If a setting is out of range.
    """
    sampler, began = PixelCNNSampler(choice.model), time.monotonic()
    steps = sampler.generate_progressively(wish.num_samples, **vars(wish.options))
    num_rows = wish.shape[1] * math.ceil(wish.num_samples / wish.options.batch_size)
    every = math.ceil(num_rows / MOST_FRAMES)
    frames: tuple[Tensor, ...] = ()
    drawn = SamplingProgress(choice, wish)
    for row, step in enumerate(steps, 1):
        done = step.num_known / step.num_total
        newest = narrow(step.images, choice.model.num_classes)
        if row % every == 0 or done == 1:
            frames = (*frames, newest)
        shown = frames if frames and frames[-1] is newest else (*frames, newest)
        drawn = SamplingProgress(choice, wish, shown, done, time.monotonic() - began)
        yield drawn
    nats: list[Tensor] = []
    # In parts, so that other visitors have their turns, and that it can be stopped.
    for part in torch.arange(wish.num_samples).split(SCORED):
        yield drawn
        cond = None if wish.cond is None else wish.cond[part]
        nats.append(score(choice.model, drawn.images[part], cond, batch_size=SCORED).nats)
    yield replace(drawn, bits=torch.cat(nats) / math.log(2))
