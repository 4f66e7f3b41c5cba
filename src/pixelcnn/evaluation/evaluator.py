"""All figures of a model in one call."""

from typing import Any

import torch

from pixelcnn.data import ImageSet
from pixelcnn.errors import ConfigError
from pixelcnn.evaluation.likelihood import check_fit, density_of, evaluate
from pixelcnn.evaluation.loaders import Loader, read_loader
from pixelcnn.evaluation.sample_quality import (
    GeneratedSamples,
    by_features,
    by_looks,
    by_memory,
    draw_beside,
)
from pixelcnn.inference.query import Progress
from pixelcnn.metrics.features import Features
from pixelcnn.metrics.fidelity import NAMES
from pixelcnn.metrics.perceptual import PerceptualDistance
from pixelcnn.metrics.results import MetricResults
from pixelcnn.models import AutoregressiveModel
from pixelcnn.spec import ImageSpec

MOST_GENERATED = 10_000
FEATURE_FIGURES = (
    *NAMES,
    "label_accuracy",
    "label_accuracy_ci95",
    "classifier_test_accuracy",
)
LOOKS_FIGURES = (
    "lpips_diversity",
    "lpips_diversity_stderr",
    "perceptual_distance",
    "perceptual_distance_stderr",
)


class PixelCNNEvaluator:
    """Measures models: how probable they find images, and how good the images are they draw.

    Args:
        device: Where to measure, and where models are moved; None leaves them where they are.
        features: What sees drawn images when they are compared with real ones. None: they are not.
        perceptual: How different images look. None: it is not measured.

    Example:
        >>> from pixelcnn.checkpoint import load
        >>> from pixelcnn.data import batches, load_data
        >>> from pixelcnn.metrics import ClassifierFeatures
        >>> test = load_data("digits").test
        >>> evaluator = PixelCNNEvaluator(features=ClassifierFeatures("digits"))
        >>> found = evaluator.evaluate_model(load("digits"), batches(test, 100), num_generated=100)
        >>> round(found["nll_nats"]), found["label_accuracy"] > 0.8, found["fid"] > 0
        (76, True, True)
    """

    def __init__(
        self,
        device: str | torch.device | None = None,
        *,
        features: Features | None = None,
        perceptual: PerceptualDistance | None = None,
    ) -> None:
        self.device = device
        self.features = features
        self.perceptual = perceptual

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
        protocol: str | None = None,
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        """Measures a model on images that it has not learned from.

        Images are drawn if `features`, `perceptual`, `train` or `num_generated` is given: as
        many as are asked for, at temperature 1, told what is known of the test images.

        Args:
            model: Any architecture.
            test_loader: A split of `load_data`, `batches` of it, or a loader of PyTorch that
                yields levels (B, C, H, W) or pairs of levels and labels. Each image counts once.
            train: The training images, to see whether drawn images are remembered.
            num_generated: Images to draw. None: as many as there are test images, at most 10,000.
            seed: Decides the drawn images, and all else that is random in judging them.
            batch_size: Images per forward pass, and drawn together.
            max_samples: Use only the first so many test images. None: all.
            protocol: What the test images are, in words, such as `DataSplits.protocol`.
            progress: Is told the sub-pixels that are drawn, and all.

        Returns:
            Those of `evaluate`; `protocol`. Where images are drawn also `fid`, `kid`,
            `inception_score`, `precision` and `recall` (see `compare_sets`), `lpips_diversity` and
            `perceptual_distance` (means, with `…_stderr`), `label_accuracy` (with Wilson's interval
            `label_accuracy_ci95`) and `classifier_test_accuracy`, `nearest_training_distance` (see
            `Memorisation`): None where one could not be measured, with the reason in
            `not_measured`; what they depend on is in `drawn_protocol`. All in JSON types.

        Raises:
            ConfigError: If an option does not fit the model or the images.
            ShapeError: If channels, levels or sizes of the images do not fit.
            CheckpointError: If the weights of a network that judges cannot be had.
            MissingDependencyError: If the library of a figure is not installed.
        """
        if num_generated is not None and num_generated < 1:
            raise ConfigError(f"`num_generated` must be at least 1, got {num_generated}.")
        if self.device is not None:
            model = model.to(self.device)
        image_set, assumed = read_loader(test_loader, model)
        check_fit(model, image_set)
        if max_samples is not None and max_samples < len(image_set):
            image_set = image_set.take(torch.arange(max_samples))
        learned = None if train is None else read_loader(train, model).image_set
        asked = (self.features, self.perceptual, learned, num_generated)
        draws = any(each is not None for each in asked)
        if draws:
            self._check_early(image_set.spec)
        figures = evaluate(model, image_set, batch_size=batch_size)
        said = (protocol or _protocol(model, image_set), assumed)
        figures["protocol"] = "; ".join(each for each in said if each)
        if not draws:
            return figures
        drawn = draw_beside(
            model,
            image_set,
            num_generated=num_generated or min(len(image_set), MOST_GENERATED),
            seed=seed,
            batch_size=batch_size,
            progress=progress,
        )
        return {**figures, **self._judge(drawn, learned, model.device)}

    def _check_early(self, spec: ImageSpec) -> None:
        """Meets what is missing or does not fit before the long work, not after."""
        if self.features is not None:
            self.features.prepare(torch.zeros(1, *spec.shape, dtype=torch.int64), spec)
            _ = self.features.options
        if self.perceptual is not None:
            self.perceptual.check(spec)

    def _judge(
        self, drawn: GeneratedSamples, train: ImageSet | None, device: torch.device
    ) -> dict[str, Any]:
        """All that can be said of drawn images, as `evaluate_model` returns it."""
        if self.features is None:
            seen = MetricResults.without(*FEATURE_FIGURES, "no `features` were chosen")
        else:
            seen = by_features(drawn, self.features, device=device)
        if self.perceptual is None:
            looks = MetricResults.without(*LOOKS_FIGURES, "LPIPS was not asked for")
        else:
            looks = by_looks(drawn, self.perceptual)
        if train is None:
            memory = MetricResults.without("nearest_training_distance", "needs training images")
        else:
            memory = by_memory(drawn, train)
        found = seen.joined(looks, memory)
        said = {
            "num_generated": len(drawn.x),
            "num_real": len(drawn.real),
            "seed": drawn.seed,
            "temperature": 1.0,
            "told": None if drawn.cond is None else drawn.condition.kind,
            **found.protocol,
        }
        return {
            **found.figures,
            "not_measured": dict(found.not_measured),
            "drawn_protocol": said,
        }


def _protocol(model: AutoregressiveModel, image_set: ImageSet) -> str:
    """What is known of images whose origin is not."""
    spec = image_set.spec
    return (
        f"{len(image_set):,} images of {spec.levels} levels, "
        f"{'×'.join(map(str, spec.shape))}; {density_of(model, image_set)}"
    )
