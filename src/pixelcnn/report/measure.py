"""What a report measures of each variant, on the same images and with the same noise."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pixelcnn.data import DataSplits, ImageSet
from pixelcnn.errors import ConfigError
from pixelcnn.evaluation import check_fit
from pixelcnn.evaluation.sample_quality import GeneratedSamples, beside, feature_metrics
from pixelcnn.inference import PixelCNNSampler, complete, known_mask, score, score_unconditionally
from pixelcnn.metrics import Features, MetricResults
from pixelcnn.metrics.features import ClassifierFeatures
from pixelcnn.report.variant import Variant

NUM_TIMED = 64
TIMED_AGAIN = 5.0  # seconds: a faster model is timed three times, and the median taken
QUALITY = ("fid", "precision", "recall", "label_accuracy")
UNKNOWN = "bottom"  # the name of the mask of the completions


@dataclass(frozen=True)
class Effort:
    """How much a report measures.

    Attributes:
        max_images: Test images, the first so many.
        num_generated: Samples of each variant.
        max_sampling_seconds: Longest time for the samples of one variant. Where the slowest needs
            more, all variants get equally fewer samples, at least 64: FID depends on how many.
        num_shown: Images in a row of a picture.
        batch_size: Samples per batch.
        seed: Of the samples and completions.
    """

    max_images: int = 2_000
    num_generated: int = 500
    max_sampling_seconds: float = 60.0
    num_shown: int = 10
    batch_size: int = 256
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("max_images", "num_generated", "num_shown", "batch_size"):
            if getattr(self, name) < 1:
                raise ConfigError(f"`{name}` must be at least 1, got {getattr(self, name)}.")
        if not self.max_sampling_seconds > 0:
            raise ConfigError(
                f"`max_sampling_seconds` must be greater than 0, got {self.max_sampling_seconds}."
            )


QUICK = Effort(max_images=200, num_generated=128, max_sampling_seconds=10.0)


@dataclass(frozen=True)
class Measurements:
    """The measurements of one variant.

    Attributes:
        nll: -log p(x) of the test images, in nats. (N,), float64.
        density: How p(x) was computed: see `pixelcnn.inference.densities`.
        nll_conditional: -log p(x | condition), likewise; None for an unconditional model.
        sampling_seconds: Of 64 samples.
        samples: Its samples, beside the test images.
        quality: Metrics of the samples, with reasons for those that are missing.
        recognised: Whether a classifier finds the label of each sample, (M,), bool; or None.
        bits: Bits of each pixel of the images shown. (S, H, W).
        completions: Two of each image shown, whose lower half is unknown. (S, 2, C, H, W).
    """

    nll: Tensor
    density: str
    nll_conditional: Tensor | None
    sampling_seconds: float
    samples: GeneratedSamples
    quality: MetricResults
    recognised: Tensor | None
    bits: Tensor
    completions: Tensor


def measure_all(
    variants: Sequence[Variant],
    data: DataSplits,
    effort: Effort,
    *,
    features: Features | None,
    no_features_reason: str,
    say: Callable[[str], None],
) -> tuple[ImageSet, Tensor, list[Measurements]]:
    """Measures all variants.

    Returns:
        The test images, the numbers of those that are shown, and the measurements.
    """
    images = data.test.take(torch.arange(min(len(data.test), effort.max_images)))
    for variant in variants:
        check_fit(variant.model, images)
    first = {}
    for variant in variants:
        say(f"{variant.name}: timing {NUM_TIMED} samples")
        first[variant.name] = time_sampling(variant, images, effort)
    slowest = max(seconds for _, seconds in first.values())
    count = affordable(effort, slowest)
    shown = choose_shown(images, effort.num_shown)
    found = []
    for variant in variants:
        say(f"{variant.name}: {count} samples, scoring {len(images):,} images")
        x, seconds = first[variant.name]
        samples = generate_more(variant, images, x, count, effort)
        if features is None:
            quality = MetricResults.without(*QUALITY, no_features_reason or "was not requested")
        else:
            quality = feature_metrics(samples, features, device=variant.model.device)
        recognised = labels_found(samples, features, quality)
        found.append(measure_variant(variant, images, shown, samples, seconds, quality, recognised))
    return images, shown, found


def affordable(effort: Effort, slowest: float) -> int:
    """How many samples every variant can generate, given the seconds of the slowest for 64."""
    most = int(NUM_TIMED * effort.max_sampling_seconds / slowest)
    return min(effort.num_generated, max(NUM_TIMED, most))


def conditions_of(variant: Variant, images: ImageSet, count: int) -> Tensor | None:
    """What samples of the variant are conditioned on: that of the test images, in order."""
    return images.conditions.first(count).of(variant.model.condition.kind)


def time_sampling(variant: Variant, images: ImageSet, effort: Effort) -> tuple[Tensor, float]:
    """The first 64 samples and their seconds: the median of three, if that is quick."""
    sampler = PixelCNNSampler(variant.model)
    cond = conditions_of(variant, images, NUM_TIMED)
    shape = images.spec.shape
    # What is made once, such as a pool of threads, is not timed.
    sampler.generate_samples(1, cond=None if cond is None else cond[:1], shape=shape)
    seconds: list[float] = []
    while not seconds or (seconds[0] < TIMED_AGAIN and len(seconds) < 3):
        started = time.perf_counter()
        x = sampler.generate_samples(NUM_TIMED, cond=cond, shape=shape, seed=effort.seed)
        seconds.append(time.perf_counter() - started)
    return x, statistics.median(seconds)


def generate_more(
    variant: Variant, images: ImageSet, x: Tensor, count: int, effort: Effort
) -> GeneratedSamples:
    """As many samples as requested, of which the first 64 are there."""
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
    return beside(x[:count], cond, images, variant.model.condition, effort.seed)


def measure_variant(
    variant: Variant,
    images: ImageSet,
    shown: Tensor,
    samples: GeneratedSamples,
    seconds: float,
    quality: MetricResults,
    recognised: Tensor | None,
) -> Measurements:
    """All measurements of one variant, given those of its samples."""
    model, x = variant.model, samples.real.long()
    cond = images.conditions.of(model.condition.kind)
    conditional = None if cond is None else score(model, x, cond).nats
    if model.condition.kind in ("attributes", "maps") and not model.condition.is_optional:
        assert conditional is not None  # checked: the images have the condition
        nll, density = conditional, f"given {model.condition.kind}"
    else:
        unconditional = score_unconditionally(model, x)
        nll, density = unconditional.nats, unconditional.density
    cond_shown = None if cond is None else cond[shown]
    known = known_mask(UNKNOWN, images.spec.shape)
    completed = complete(
        model, x[shown], known, method="raster", num_completions=2, cond=cond_shown,
        seed=samples.seed,
    )  # fmt: skip
    return Measurements(
        nll=nll,
        density=density,
        nll_conditional=conditional,
        sampling_seconds=seconds,
        samples=samples,
        quality=quality,
        recognised=recognised,
        bits=score(model, x[shown], cond_shown).bits_per_pixel,
        completions=completed.images,
    )


def labels_found(
    samples: GeneratedSamples, features: Features | None, quality: MetricResults
) -> Tensor | None:
    """Whether a classifier finds in each sample the label that it was conditioned on."""
    if quality.values.get("label_accuracy") is None or samples.cond is None:
        return None
    assert isinstance(features, ClassifierFeatures)
    return features.classifier.network.predict(samples.x) == samples.cond.cpu()


def choose_shown(images: ImageSet, count: int) -> Tensor:
    """Numbers of the images in pictures: the first of each class, then the first of all."""
    labels = images.labels
    if labels is None:
        return torch.arange(min(count, len(images)))
    firsts = [int((labels == label).nonzero()[0]) for label in labels.unique(sorted=True)]
    others = [number for number in range(len(images)) if number not in set(firsts)]
    return torch.tensor([*firsts, *others][: min(count, len(images))])
