"""What a report measures of each variant, on the same images and by the same noise."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pixelcnn.data import DataSplits, ImageSet
from pixelcnn.errors import ConfigError
from pixelcnn.evaluation import check_fit
from pixelcnn.evaluation.sample_quality import GeneratedSamples, by_features, images_of
from pixelcnn.inference import PixelCNNSampler, complete, known_mask, score, score_unconditionally
from pixelcnn.metrics import Features, MetricResults
from pixelcnn.metrics.features import ClassifierFeatures
from pixelcnn.report.variant import Variant

NUM_TIMED = 64
TIMED_AGAIN = 5.0  # seconds: what is faster is timed three times, and the median taken
MISSING = "bottom"


@dataclass(frozen=True)
class Effort:
    """How much a report measures.

    Attributes:
        max_images: Test images, the first so many.
        num_generated: Images that each variant draws to be judged.
        draw_seconds: Longest time that one variant may draw them; where the slowest would need
            longer, all draw fewer, at least 64, since distances between sets depend on how many.
        num_shown: Images in a row of a picture.
        batch_size: Images drawn together.
        seed: Of all that is drawn.
    """

    max_images: int = 2_000
    num_generated: int = 500
    draw_seconds: float = 60.0
    num_shown: int = 10
    batch_size: int = 256
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("max_images", "num_generated", "num_shown", "batch_size"):
            if getattr(self, name) < 1:
                raise ConfigError(f"`{name}` must be at least 1, got {getattr(self, name)}.")
        if not self.draw_seconds > 0:
            raise ConfigError(f"`draw_seconds` must be greater than 0, got {self.draw_seconds}.")


QUICK = Effort(max_images=200, num_generated=128, draw_seconds=10.0)


@dataclass(frozen=True)
class Measured:
    """What was found of one variant.

    Attributes:
        nll: -log p(x) of the test images, in nats. (N,), float64.
        nll_told: -log p(x | condition), likewise; None for a model that was told nothing.
        seconds_to_draw: Of 64 images.
        drawn: The images that it drew.
        judged: Their figures by features, with reasons for those that are missing.
        right: Whether a classifier found the label told in each drawn image, (M,), bool; or None.
        bits: Of the pixels of the images shown. (S, H, W).
        completions: Two of each image shown, whose lower half was missing. (S, 2, C, H, W).
    """

    nll: Tensor
    nll_told: Tensor | None
    seconds_to_draw: float
    drawn: GeneratedSamples
    judged: MetricResults
    right: Tensor | None
    bits: Tensor
    completions: Tensor


def measure_all(
    variants: Sequence[Variant],
    data: DataSplits,
    effort: Effort,
    *,
    features: Features | None,
    why_none: str,
    say: Callable[[str], None],
) -> tuple[ImageSet, Tensor, list[Measured]]:
    """Measures all variants.

    Args:
        variants: Models of such images.
        data: Whose test images are used.
        effort: How much to measure.
        features: What sees drawn images; None leaves distances between sets out.
        why_none: Why there are no features.
        say: Is told what is being done.

    Returns:
        The test images, the numbers of those that are shown, and what was found.
    """
    images = data.test.take(torch.arange(min(len(data.test), effort.max_images)))
    for variant in variants:
        check_fit(variant.model, images)
    first = {}
    for variant in variants:
        say(f"{variant.name}: drawing {NUM_TIMED} images against the clock")
        first[variant.name] = time_drawing(variant, images, effort)
    slowest = max(seconds for _, seconds in first.values())
    count = affordable(effort, slowest)
    shown = choose_shown(images, effort.num_shown)
    found = []
    for variant in variants:
        say(f"{variant.name}: drawing {count} images, scoring {len(images):,}")
        x, seconds = first[variant.name]
        drawn = draw_on(variant, images, x, count, effort)
        found.append(measure(variant, images, shown, drawn, seconds, effort, features, why_none))
    return images, shown, found


def affordable(effort: Effort, slowest: float) -> int:
    """How many images every variant can draw, given the seconds of the slowest for 64.

    Example:
        >>> affordable(Effort(num_generated=500, draw_seconds=60), 2.0)
        500
        >>> affordable(Effort(num_generated=500, draw_seconds=60), 20.0)
        192
    """
    most = int(NUM_TIMED * effort.draw_seconds / slowest)
    return min(effort.num_generated, max(NUM_TIMED, most))


def conditions_of(variant: Variant, images: ImageSet, count: int) -> Tensor | None:
    """What the variant is told: what is known of the test images, in their order."""
    return images.conditions.first(count).of(variant.model.condition.kind)


def time_drawing(variant: Variant, images: ImageSet, effort: Effort) -> tuple[Tensor, float]:
    """The first 64 images, and the seconds they took; the median of three, if that is quick."""
    sampler = PixelCNNSampler(variant.model)
    cond = conditions_of(variant, images, NUM_TIMED)
    shape = images.spec.shape
    # What is made once, such as a threads pool, belongs to no image.
    sampler.generate_samples(1, cond=None if cond is None else cond[:1], shape=shape)
    seconds: list[float] = []
    while not seconds or (seconds[0] < TIMED_AGAIN and len(seconds) < 3):
        started = time.perf_counter()
        x = sampler.generate_samples(NUM_TIMED, cond=cond, shape=shape, seed=effort.seed)
        seconds.append(time.perf_counter() - started)
    return x, statistics.median(seconds)


def draw_on(
    variant: Variant, images: ImageSet, x: Tensor, count: int, effort: Effort
) -> GeneratedSamples:
    """As many images as are wanted, of which the first 64 are there."""
    cond = conditions_of(variant, images, count)
    if count > len(x):
        rest = PixelCNNSampler(variant.model).stream(
            count - len(x),
            first=len(x),
            cond=None if cond is None else cond[len(x) :],
            seed=effort.seed,
            shape=images.spec.shape,
            batch_size=effort.batch_size,
        )
        x = torch.cat([x, *rest])
    return GeneratedSamples(
        x[:count],
        cond,
        images_of(images),
        images.labels,
        images.spec,
        variant.model.condition,
        effort.seed,
    )


def measure(
    variant: Variant,
    images: ImageSet,
    shown: Tensor,
    drawn: GeneratedSamples,
    seconds: float,
    effort: Effort,
    features: Features | None,
    why_none: str,
) -> Measured:
    """All of one variant, once it has drawn."""
    model = variant.model
    x = drawn.real.long()
    cond = images.conditions.of(model.condition.kind)
    told = None
    if cond is not None:
        told = score(model, x, cond).nats
    if model.condition.kind in ("attributes", "maps") and not model.condition.is_optional:
        assert told is not None  # checked: a model that must be told is told
        nll = told
    else:
        nll = score_unconditionally(model, x).nats
    cond_shown = None if cond is None else cond[shown]
    known = known_mask(MISSING, images.spec.shape)
    completed = complete(
        model, x[shown], known, method="raster", num_completions=2, cond=cond_shown,
        seed=effort.seed,
    )  # fmt: skip
    if features is None:
        judged = MetricResults.without(
            "fid", "precision", "recall", "label_accuracy", why_none or "was not asked for"
        )
    else:
        judged = by_features(drawn, features, device=model.device)
    return Measured(
        nll=nll,
        nll_told=told,
        seconds_to_draw=seconds,
        drawn=drawn,
        judged=judged,
        right=labels_found(drawn, features, judged),
        bits=score(model, x[shown], cond_shown).bits_per_pixel,
        completions=completed.images,
    )


def labels_found(
    drawn: GeneratedSamples, features: Features | None, judged: MetricResults
) -> Tensor | None:
    """Whether a classifier sees in each drawn image the label that was told."""
    if judged.figures.get("label_accuracy") is None or drawn.cond is None:
        return None
    assert isinstance(features, ClassifierFeatures)
    return features.classifier.network.predict(drawn.x) == drawn.cond.cpu()


def choose_shown(images: ImageSet, count: int) -> Tensor:
    """Numbers of the images in pictures: the first of each class in turn, or the first."""
    labels = images.labels
    if labels is None:
        return torch.arange(min(count, len(images)))
    firsts = [int((labels == label).nonzero()[0]) for label in labels.unique(sorted=True)]
    others = [number for number in range(len(images)) if number not in set(firsts)]
    return torch.tensor([*firsts, *others][: min(count, len(images))])
