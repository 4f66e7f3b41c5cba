"""Judging the images that a model draws."""

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
    """Images that a model drew, beside the real ones that they are compared with.

    Attributes:
        x: Levels. (N, C, H, W).
        cond: What the model was told of each, as it takes it; None for nothing.
        real: Levels. (M, C, H, W).
        real_labels: Classes of the real images, (M,); None where they are not known.
        spec: Shape and levels of both.
        condition: Of the model.
        seed: Of the draws, and of all that is random in judging them.
    """

    x: Tensor
    cond: Tensor | None
    real: Tensor
    real_labels: Tensor | None
    spec: ImageSpec
    condition: Condition
    seed: int


def draw_beside(
    model: AutoregressiveModel,
    image_set: ImageSet,
    *,
    num_generated: int,
    seed: int,
    batch_size: int = 256,
    progress: Progress | None = None,
) -> GeneratedSamples:
    """Draws images at temperature 1, told what is known of the real images in their order.

    So a model of labels draws each as often as it comes in the set.

    Args:
        model: Any architecture.
        image_set: The real images, whose size the drawn ones get.
        num_generated: Images, N; where there are fewer conditions, these begin again.
        seed: With its number, decides each image.
        batch_size: Images drawn together.
        progress: Is told the sub-pixels that are drawn, and all.
    """
    kind = model.condition.kind
    cond = image_set.conditions.first(num_generated).of(kind)
    x = PixelCNNSampler(model).generate_samples(
        num_generated,
        cond=cond,
        seed=seed,
        shape=image_set.spec.shape,
        batch_size=batch_size,
        on_progress=progress,
    )
    spec = image_set.spec
    return GeneratedSamples(
        narrow(x, spec.levels),
        cond,
        images_of(image_set),
        image_set.labels,
        spec,
        model.condition,
        seed,
    )


def images_of(image_set: ImageSet) -> Tensor:
    """All images of a set as one tensor, in the smallest type. (N, C, H, W)."""
    levels = image_set.spec.levels
    return torch.cat([narrow(x, levels).cpu() for x, _ in batches(image_set, READ_AT_ONCE)])


def by_features(
    drawn: GeneratedSamples, features: Features, *, device: torch.device
) -> MetricResults:
    """FID, KID, Inception score, precision and recall, and what a classifier says of labels."""
    found = compare_sets(
        drawn.x, drawn.real, spec=drawn.spec, features=features, seed=drawn.seed, device=device
    )
    return found.joined(label_accuracy(drawn, features), classifier_accuracy(drawn, features))


def label_accuracy(drawn: GeneratedSamples, features: Features) -> MetricResults:
    """How often a classifier finds in a drawn image the label that the model was told to draw."""
    names = ("label_accuracy", "label_accuracy_ci95")
    if drawn.condition.kind != "labels" or drawn.cond is None:
        return MetricResults.without(*names, "the model was told no labels to draw")
    if not isinstance(features, ClassifierFeatures):
        return MetricResults.without(*names, "needs the features of a classifier of these labels")
    reason = other_labels(drawn.condition, features)
    if reason is not None:
        return MetricResults.without(*names, reason)
    right = int((features.classifier.network.predict(drawn.x) == drawn.cond.cpu()).sum())
    interval = list(wilson_interval(right, len(drawn.x)))
    return MetricResults(dict(zip(names, (right / len(drawn.x), interval), strict=True)))


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


def classifier_accuracy(drawn: GeneratedSamples, features: Features) -> MetricResults:
    """How often the classifier is right on the real images: what its judgement is worth."""
    name = "classifier_test_accuracy"
    if not isinstance(features, ClassifierFeatures):
        return MetricResults.without(
            name, "the features are not those of a classifier of these images"
        )
    if drawn.real_labels is None:
        return MetricResults.without(name, "the labels of the real images are not known")
    # Real images of a model of labels have the numbers that these have for the model.
    reason = other_labels(drawn.condition, features) if drawn.condition.kind == "labels" else None
    if reason is not None:
        return MetricResults.without(name, reason)
    right = features.classifier.network.predict(drawn.real) == drawn.real_labels.cpu()
    return MetricResults({name: right.double().mean().item()})


def by_looks(drawn: GeneratedSamples, distance: PerceptualDistance) -> MetricResults:
    """LPIPS among the drawn images, and of them to real ones."""
    levels = drawn.spec.levels
    names = ("lpips_diversity", "lpips_diversity_stderr")
    to_real = distance_to_nearest(distance, drawn.x, drawn.real, levels=levels)
    found = _with_error("perceptual_distance", to_real)
    protocol = {**distance.describe(), "perceptual_distance_images": len(to_real)}
    if len(drawn.x) < 2:
        return MetricResults(found, protocol=protocol).joined(
            MetricResults.without(*names, "needs at least 2 drawn images, got 1")
        )
    among = diversity(distance, drawn.x, levels=levels, seed=drawn.seed)
    protocol["lpips_diversity_pairs"] = len(among)
    return MetricResults(found | _with_error("lpips_diversity", among), protocol=protocol)


def by_memory(drawn: GeneratedSamples, train: ImageSet) -> MetricResults:
    """Distances of drawn and of real images to the nearest training images."""
    if len(train) < 2:
        reason = f"needs at least 2 training images, got {len(train)}"
        return MetricResults.without("nearest_training_distance", reason)
    both = torch.cat([drawn.x, drawn.real])
    references = (x for x, _ in batches(train, READ_AT_ONCE))
    distances, _ = nearest(both, references, levels=drawn.spec.levels, count=2)
    found = Memorisation(*distances.split([len(drawn.x), len(drawn.real)]))
    return MetricResults(
        {"nearest_training_distance": found.summary()}, protocol={"num_train": len(train)}
    )


def _with_error(name: str, values: Tensor) -> dict[str, float | None]:
    """The mean of values and its standard error, which one value alone does not have."""
    error = values.std().item() / math.sqrt(len(values)) if len(values) > 1 else None
    return {name: values.mean().item(), f"{name}_stderr": error}
