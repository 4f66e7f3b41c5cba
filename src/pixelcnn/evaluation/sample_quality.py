"""Metrics of the samples of a model."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from pixelcnn.data import ImageSet, batches
from pixelcnn.data.image_sets import narrow
from pixelcnn.inference import PixelCNNSampler
from pixelcnn.inference.query import Progress
from pixelcnn.metrics.features import ClassifierFeatures, Features
from pixelcnn.metrics.fidelity import compare_sets
from pixelcnn.metrics.neighbours import Memorisation, nearest
from pixelcnn.metrics.perceptual import PerceptualDistance, distance_to_nearest, diversity
from pixelcnn.metrics.proportion import wilson_interval
from pixelcnn.metrics.results import MetricResults
from pixelcnn.models import AutoregressiveModel
from pixelcnn.nn import Condition
from pixelcnn.spec import ImageSpec

READ_AT_ONCE = 4096


@dataclass(frozen=True)
class GeneratedSamples:
    """Samples of a model, beside the real images that they are compared with.

    Attributes:
        x: Levels. (N, C, H, W).
        cond: What each sample was conditioned on, as the model takes it; None for nothing.
        real: Levels. (M, C, H, W).
        real_labels: Classes of the real images, (M,); None where they are unknown.
        spec: Shape and levels of both.
        condition: Of the model.
        seed: Of the samples, and of all that is random in their metrics.
    """

    x: Tensor
    cond: Tensor | None
    real: Tensor
    real_labels: Tensor | None
    spec: ImageSpec
    condition: Condition
    seed: int


def generate_like(
    model: AutoregressiveModel,
    image_set: ImageSet,
    *,
    num_generated: int,
    seed: int,
    batch_size: int = 256,
    progress: Progress | None = None,
) -> GeneratedSamples:
    """Samples at temperature 1, conditioned on what is known of the real images, in their order.

    So a model of labels generates each class as often as it is in the set.

    Args:
        model: Any architecture.
        image_set: The real images, whose size the samples get.
        num_generated: Number of samples N; where there are fewer conditions, these repeat.
        seed: With its number, decides each sample.
        batch_size: Samples per batch.
        progress: Called with the sub-pixels sampled so far, and all.
    """
    cond = image_set.conditions.first(num_generated).of(model.condition.kind)
    x = PixelCNNSampler(model).generate_samples(
        num_generated,
        cond=cond,
        seed=seed,
        shape=image_set.spec.shape,
        batch_size=batch_size,
        on_progress=progress,
    )
    return beside(narrow(x, image_set.spec.levels), cond, image_set, model.condition, seed)


def beside(
    x: Tensor, cond: Tensor | None, image_set: ImageSet, condition: Condition, seed: int
) -> GeneratedSamples:
    """Samples (N, C, H, W) and their condition, beside all images of a set."""
    levels = image_set.spec.levels
    real = torch.cat([narrow(part, levels).cpu() for part, _ in batches(image_set, READ_AT_ONCE)])
    return GeneratedSamples(x, cond, real, image_set.labels, image_set.spec, condition, seed)


def feature_metrics(
    samples: GeneratedSamples, features: Features, *, device: torch.device
) -> MetricResults:
    """FID, KID, Inception score, precision and recall, and the metrics of a classifier."""
    found = compare_sets(
        samples.x, samples.real, spec=samples.spec, features=features, seed=samples.seed,
        device=device,
    )  # fmt: skip
    return found.joined(label_accuracy(samples, features), classifier_accuracy(samples, features))


def label_accuracy(samples: GeneratedSamples, features: Features) -> MetricResults:
    """How often a classifier finds in a sample the label that it was conditioned on."""
    names = ("label_accuracy", "label_accuracy_ci95")
    if samples.condition.kind != "labels" or samples.cond is None:
        return MetricResults.without(*names, "the samples were not conditioned on labels")
    if not isinstance(features, ClassifierFeatures):
        return MetricResults.without(*names, "needs the features of a classifier of these labels")
    reason = other_labels(samples.condition, features)
    if reason is not None:
        return MetricResults.without(*names, reason)
    right = int((features.classifier.network.predict(samples.x) == samples.cond.cpu()).sum())
    interval = list(wilson_interval(right, len(samples.x)))
    return MetricResults(dict(zip(names, (right / len(samples.x), interval), strict=True)))


def other_labels(condition: Condition, features: ClassifierFeatures) -> str | None:
    """Why the labels of a model are not those of a classifier; None if they are."""
    network = features.classifier.network
    if condition.count != network.num_labels:
        return (
            f"the model has {condition.count} labels, but the classifier "
            f"{features.classifier.name} {network.num_labels}"
        )
    if condition.names and network.labels and list(condition.names) != list(network.labels):
        return (
            f"the labels of the model ({', '.join(condition.names)}) are not those of the "
            f"classifier {features.classifier.name} ({', '.join(network.labels)})"
        )
    return None


def classifier_accuracy(samples: GeneratedSamples, features: Features) -> MetricResults:
    """How often the classifier is right on the real images: what its metrics are worth."""
    name = "classifier_test_accuracy"
    if not isinstance(features, ClassifierFeatures):
        return MetricResults.without(
            name, "the features are not those of a classifier of these images"
        )
    if samples.real_labels is None:
        return MetricResults.without(name, "the labels of the real images are unknown")
    # Real images have the numbers that their labels have for the model.
    is_labelled = samples.condition.kind == "labels"
    reason = other_labels(samples.condition, features) if is_labelled else None
    if reason is not None:
        return MetricResults.without(name, reason)
    right = features.classifier.network.predict(samples.real) == samples.real_labels.cpu()
    return MetricResults({name: right.double().mean().item()})


def perceptual_metrics(samples: GeneratedSamples, distance: PerceptualDistance) -> MetricResults:
    """LPIPS between samples, and from samples to real images."""
    levels = samples.spec.levels
    names = ("lpips_diversity", "lpips_diversity_stderr")
    to_real = distance_to_nearest(distance, samples.x, samples.real, levels=levels)
    found = _with_error("perceptual_distance", to_real)
    protocol = {**distance.describe(), "perceptual_distance_images": len(to_real)}
    if len(samples.x) < 2:
        return MetricResults(found, protocol=protocol).joined(
            MetricResults.without(*names, "needs at least 2 samples, got 1")
        )
    among = diversity(distance, samples.x, levels=levels, seed=samples.seed)
    protocol["lpips_diversity_pairs"] = len(among)
    return MetricResults(found | _with_error("lpips_diversity", among), protocol=protocol)


def memorisation_metrics(samples: GeneratedSamples, train: ImageSet) -> MetricResults:
    """Distances of samples and of real images to the nearest training images."""
    if len(train) < 2:
        reason = f"needs at least 2 training images, got {len(train)}"
        return MetricResults.without("nearest_training_distance", reason)
    both = torch.cat([samples.x, samples.real])
    references = (x for x, _ in batches(train, READ_AT_ONCE))
    distances, _ = nearest(both, references, levels=samples.spec.levels, count=2)
    found = Memorisation(*distances.split([len(samples.x), len(samples.real)]))
    return MetricResults(
        {"nearest_training_distance": found.summary()}, protocol={"num_train": len(train)}
    )


def _with_error(name: str, values: Tensor) -> dict[str, float | None]:
    """The mean of values and its standard error, which one value alone does not have."""
    error = values.std().item() / math.sqrt(len(values)) if len(values) > 1 else None
    return {name: values.mean().item(), f"{name}_stderr": error}
