"""All metrics of a model in one call."""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal, TypeAlias

import torch

from pixelcnn.arguments import named_arguments, whole_number
from pixelcnn.data import ImageSet
from pixelcnn.device import resolve_device
from pixelcnn.errors import (
    CheckpointError,
    ConfigError,
    MetricNotMeasuredError,
    MissingDependencyError,
    clipped,
)
from pixelcnn.evaluation.default_features import default_features
from pixelcnn.evaluation.likelihood import check_fit, evaluate, evaluated_density
from pixelcnn.evaluation.loaders import Loader, read_loader
from pixelcnn.evaluation.sample_quality import (
    GeneratedSamples,
    feature_metrics,
    generate_like,
    memorisation_metrics,
    perceptual_metrics,
)
from pixelcnn.inference.query import check_model
from pixelcnn.metrics.features import Features
from pixelcnn.metrics.fidelity import NAMES
from pixelcnn.metrics.perceptual import PerceptualDistance
from pixelcnn.metrics.results import MetricResults
from pixelcnn.models import AutoregressiveModel
from pixelcnn.spec import ImageSpec

MOST_GENERATED = 10_000
FEATURE_METRICS = (*NAMES, "label_accuracy", "label_accuracy_ci95", "classifier_test_accuracy")
PERCEPTUAL_METRICS = (
    "lpips_diversity",
    "lpips_diversity_stderr",
    "perceptual_distance",
    "perceptual_distance_stderr",
)
MEMORISATION_METRIC = "nearest_training_distance"
SAMPLE_METRICS = frozenset((*FEATURE_METRICS, *PERCEPTUAL_METRICS, MEMORISATION_METRIC))

EvaluationProgress: TypeAlias = Callable[[str, int, int], None]
"""Called with the stage ("scoring images", "sampling"), the parts of it that are done, and all."""


class EvaluationMetrics(dict[str, Any]):
    """Metrics by name, in JSON types. `metrics[name]` of one that was not measured says why.

    `metrics.get(name)` is None then.

    Example:
        >>> EvaluationMetrics(nll_nats=76.2)["fid"]
        Traceback (most recent call last):
        pixelcnn.errors.MetricNotMeasuredError: `fid` is a metric of samples, and none were \
generated. Ask for them: `evaluate_model(…, num_generated=500)`.
    """

    def __getitem__(self, name: str) -> Any:
        reason = self.get("not_measured", {}).get(name)
        if reason is not None:
            raise MetricNotMeasuredError(f"`{name}` was not measured: {reason}.")
        if name in SAMPLE_METRICS and name not in self:
            raise MetricNotMeasuredError(
                f"`{name}` is a metric of samples, and none were generated. Ask for them: "
                f"`evaluate_model(…, num_generated=500)`."
            )
        return super().__getitem__(name)


@named_arguments
class PixelCNNEvaluator:
    """Measures the likelihood of held-out images, and the quality of samples if requested.

    Args:
        device: Where to measure; models are moved there. None leaves them where they are.
        features: Maps images to the features by which samples are compared with real images.
            "default" chooses them by the images, see `default_features`; None leaves them out.
        perceptual: The perceptual distance of images. None: it is not measured.

    Raises:
        ConfigError: If the device does not exist, or an argument is of another type.

    Example:
        >>> from pixelcnn.runs import load
        >>> from pixelcnn.data import batches, load_data
        >>> test = batches(load_data("digits").test, 100)
        >>> metrics = PixelCNNEvaluator().evaluate_model(load("digits"), test, num_generated=100)
        >>> round(metrics["nll_nats"]), metrics["label_accuracy"] > 0.8, metrics["fid"] > 0
        (76, True, True)
    """

    def __init__(
        self,
        device: str | torch.device | None = None,
        *,
        features: Features | Literal["default"] | None = "default",
        perceptual: PerceptualDistance | None = None,
    ) -> None:
        self.device = None if device is None else resolve_device(device)
        if features not in (None, "default") and not isinstance(features, Features):
            raise ConfigError(
                f'`features` must be "default", None or features, got {clipped(features)}. '
                f"Use `pixelcnn.metrics.ClassifierFeatures` or `InceptionFeatures`."
            )
        if perceptual is not None and not isinstance(perceptual, PerceptualDistance):
            raise ConfigError(
                f"`perceptual` must be a `PerceptualDistance` or None, got {clipped(perceptual)}."
            )
        self.features = features
        self.perceptual = perceptual

    @named_arguments
    def evaluate_model(
        self,
        model: AutoregressiveModel,
        test_loader: Loader,
        *,
        train: Loader | None = None,
        num_generated: int | None = None,
        seed: int = 0,
        batch_size: int = 64,
        max_samples: int | None = None,
        sum_labels: bool = False,
        protocol: str | None = None,
        progress: EvaluationProgress | None = None,
    ) -> EvaluationMetrics:
        """Evaluates a model on held-out images.

        Samples are generated only if `num_generated`, `train`, or the evaluator's `features` or
        `perceptual` are given: at temperature 1, conditioned on what is known of the test images.

        Args:
            model: Any architecture.
            test_loader: A split of `load_data`, `batches` of it, or a loader of PyTorch that
                yields images (B, C, H, W) or pairs of images and labels. Images are integer
                levels, or floats in [0, 1] or [-1, 1] whose values are levels of the model.
            train: The training images, to measure whether samples are memorised ones.
            num_generated: Number of samples. None: as many as test images, at most 10,000.
            seed: Decides the samples, and all that is random in their metrics.
            batch_size: Images per forward pass, and samples per batch.
            max_samples: Use only the first so many test images. None: all.
            sum_labels: Whether p(x) is also computed as a sum over labels, see `evaluate`.
            protocol: What the test images are, in words, such as `DataSplits.protocol`.
            progress: Called after each batch, see `EvaluationProgress`.

        Returns:
            The metrics of `evaluate`, and `protocol`. With samples also `fid`, `kid`,
            `inception_score`, `precision` and `recall` (see `compare_sets`), `lpips_diversity` and
            `perceptual_distance` (means, with `…_stderr`), `label_accuracy` (with Wilson's interval
            `label_accuracy_ci95`) and `classifier_test_accuracy`, `nearest_training_distance` (see
            `Memorisation`). The reason why one could not be measured is in `not_measured`, what
            all of them depend on in `samples_protocol`.

        Raises:
            ConfigError: If an option does not fit the model or the images.
            ShapeError: If channels, levels or sizes of the images do not fit.
            CheckpointError: If the weights of chosen features cannot be had.
            MissingDependencyError: If the library of a chosen metric is not installed.
        """
        check_model(model)
        if num_generated is not None:
            num_generated = whole_number("num_generated", num_generated)
        if self.device is not None:
            model = model.to(self.device)
        image_set, assumed = read_loader(test_loader, model)
        check_fit(model, image_set)
        if max_samples is not None and max_samples < len(image_set):
            image_set = image_set.take(torch.arange(max_samples))
        training = None if train is None else read_loader(train, model).image_set
        chosen = None if self.features == "default" else self.features
        generates = any(
            each is not None for each in (chosen, self.perceptual, train, num_generated)
        )
        if generates:
            self._check_early(image_set.spec)
        stage = None if progress is None else partial(progress, "scoring images")
        metrics = EvaluationMetrics(
            evaluate(model, image_set, batch_size=batch_size, sum_labels=sum_labels, progress=stage)
        )
        said = (protocol or _protocol(model, image_set), assumed)
        metrics["protocol"] = "; ".join(each for each in said if each)
        if generates:
            samples = generate_like(
                model,
                image_set,
                num_generated=num_generated or min(len(image_set), MOST_GENERATED),
                seed=seed,
                batch_size=batch_size,
                progress=None if progress is None else partial(progress, "sampling"),
            )
            metrics.update(self._sample_metrics(samples, image_set, training, model.device))
        return metrics

    def _check_early(self, spec: ImageSpec) -> None:
        """Raises for what is missing or does not fit before the long work, not after."""
        if isinstance(self.features, Features):
            self.features.prepare(torch.zeros(1, *spec.shape, dtype=torch.int64), spec)
            _ = self.features.options
        if self.perceptual is not None:
            self.perceptual.check(spec)

    def _sample_metrics(
        self,
        samples: GeneratedSamples,
        images: ImageSet,
        train: ImageSet | None,
        device: torch.device,
    ) -> dict[str, Any]:
        """All metrics of samples, as `evaluate_model` returns them."""
        found = self._feature_metrics(samples, images, device)
        if self.perceptual is None:
            perceptual = MetricResults.without(*PERCEPTUAL_METRICS, "LPIPS was not requested")
        else:
            perceptual = perceptual_metrics(samples, self.perceptual)
        if train is None:
            memory = MetricResults.without(MEMORISATION_METRIC, "needs training images (`train`)")
        else:
            memory = memorisation_metrics(samples, train)
        found = found.joined(perceptual, memory)
        protocol = {
            "num_generated": len(samples.x),
            "num_real": len(samples.real),
            "seed": samples.seed,
            "temperature": 1.0,
            "condition": None if samples.cond is None else samples.condition.kind,
            **found.protocol,
        }
        return {
            **found.values,
            "not_measured": dict(found.not_measured),
            "samples_protocol": protocol,
        }

    def _feature_metrics(
        self, samples: GeneratedSamples, images: ImageSet, device: torch.device
    ) -> MetricResults:
        features = self.features
        if features is None:
            return MetricResults.without(*FEATURE_METRICS, "no `features` were chosen")
        if not isinstance(features, Features):
            try:
                features = default_features(images)
            except (ConfigError, CheckpointError, MissingDependencyError) as error:
                return MetricResults.without(*FEATURE_METRICS, str(error).rstrip("."))
        return feature_metrics(samples, features, device=device)


def _protocol(model: AutoregressiveModel, image_set: ImageSet) -> str:
    """What is known of images of unknown origin."""
    spec = image_set.spec
    return (
        f"{len(image_set):,} images of {spec.levels} levels, "
        f"{'×'.join(map(str, spec.shape))}; {evaluated_density(model, image_set)}"
    )
