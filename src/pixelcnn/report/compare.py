"""Measures all that a report compares."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property

import torch
from torch import Tensor

from pixelcnn.data import DataSplits, ImageSet
from pixelcnn.errors import ConfigError
from pixelcnn.metrics import Features, Interval
from pixelcnn.metrics.bootstrap import percentile_interval, resampled_means, resamples_for
from pixelcnn.report.measure import Effort, Measurements, measure_all
from pixelcnn.report.variant import Variant


@dataclass(frozen=True)
class Difference:
    """By how much the NLL of one model is higher than that of another, on the same images.

    Attributes:
        nats: Mean difference per image.
        interval: Of a paired bootstrap over images, wide enough for all pairs together.
    """

    nats: float
    interval: Interval

    @property
    def is_significant(self) -> bool:
        """Whether the interval excludes zero."""
        return self.interval.low > 0 or self.interval.high < 0


@dataclass(frozen=True)
class Comparison:
    """Models, their measurements, and the images that they were measured on.

    Attributes:
        variants: In the order they were named.
        measured: The measurements of each.
        images: The test images used.
        num_test: All test images, of which these are the first.
        shown: Numbers of those in pictures.
        label_names: Of the classes of the images; None where they have none.
        protocol: Of the data.
        effort: How much was measured.
        made: When, UTC.
    """

    variants: Sequence[Variant]
    measured: Sequence[Measurements]
    images: ImageSet
    num_test: int
    shown: Tensor
    label_names: tuple[str, ...] | None
    protocol: str
    effort: Effort
    made: str

    @property
    def names(self) -> list[str]:
        """What the variants are called."""
        return [variant.name for variant in self.variants]

    @property
    def which(self) -> str:
        """Which of the test images were used, in words."""
        count = f"{len(self.images):,}"
        if len(self.images) < self.num_test:
            count = f"the first {count} of {self.num_test:,}"
        return f"{count} test images"

    @property
    def ranking(self) -> list[int]:
        """Numbers of the variants, the lowest NLL first."""
        return sorted(range(len(self.measured)), key=lambda n: self.measured[n].nll.mean().item())

    def difference(self, one: int, other: int) -> Difference:
        """NLL of `one` minus that of `other`, with a paired bootstrap interval over images.

        The intervals of all pairs hold together with 95 % confidence (Bonferroni).
        """
        nats = (self.measured[one].nll - self.measured[other].nll).mean().item()
        means = self._resampled[:, one] - self._resampled[:, other]
        return Difference(nats, percentile_interval(means, self._level))

    @property
    def _level(self) -> float:
        """Confidence level of the interval of one pair."""
        return 1 - 0.05 / max(math.comb(len(self.variants), 2), 1)

    @cached_property
    def _resampled(self) -> Tensor:
        """Mean NLL of each variant on resampled images, the same for all. (R, V)."""
        nll = torch.stack([measured.nll for measured in self.measured], 1)
        return resampled_means(nll, resamples_for(self._level))


def compare(
    variants: Sequence[Variant],
    data: DataSplits,
    *,
    effort: Effort | None = None,
    features: Features | None = None,
    no_features_reason: str = "",
    say: Callable[[str], None] = lambda line: None,
) -> Comparison:
    """Measures models on the same test images, and samples from each with the same noise.

    Args:
        variants: Two or more with different names, or one alone.
        data: The images; labels in the numbers of the models.
        effort: How much to measure.
        features: Features of images, for FID, precision, recall and label accuracy.
        no_features_reason: Why there are no features, for the reader.
        say: Called with what is being done.

    Raises:
        ConfigError: If names repeat, or a model is conditioned on what the images do not have.
        ShapeError: If a model is of other levels or channels than the images.

    Example:
        >>> from pixelcnn.data import load_data
        >>> from pixelcnn.models import PixelCNN
        >>> made = {"image_size": 8, "num_classes": 17, "num_residual_blocks": 1}
        >>> pair = [Variant(f"{width} wide", PixelCNN(hidden_channels=width, **made))
        ...         for width in (2, 4)]
        >>> found = compare(pair, load_data("digits"), effort=Effort(max_images=8, num_generated=8))
        >>> found.names, found.measured[0].nll.shape, len(found.measured[0].samples.x)
        (['2 wide', '4 wide'], torch.Size([8]), 8)
    """
    names = [variant.name for variant in variants]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if not variants or repeated:
        raise ConfigError(
            f"The models of a report must have different names, got "
            f"{', '.join(names) or 'none'}. Name them NAME=RUN."
        )
    effort = effort or Effort()
    images, shown, measured = measure_all(
        variants, data, effort, features=features, no_features_reason=no_features_reason, say=say
    )
    return Comparison(
        variants,
        measured,
        images,
        len(data.test),
        shown,
        data.label_names,
        data.protocol,
        effort,
        datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
    )
