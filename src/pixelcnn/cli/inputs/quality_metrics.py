"""Sample quality: the options that choose its metrics, and the metrics in words."""

import argparse
from collections.abc import Mapping
from typing import Any, Literal

import torch

from pixelcnn.cli.outputs.console import counted
from pixelcnn.config import DataConfig
from pixelcnn.data import DataSplits
from pixelcnn.data.data_warnings import first_names
from pixelcnn.errors import ConfigError
from pixelcnn.evaluation import PixelCNNEvaluator
from pixelcnn.metrics import (
    ClassifierFeatures,
    Features,
    InceptionFeatures,
    PerceptualDistance,
    TrainedClassifier,
    load_classifier,
)
from pixelcnn.weights import list_classifiers

TRAIN_ONE = (
    "Train one on the same images with `pixelcnn train-classifier`, and name its file by "
    "`--classifier`."
)


def measures_samples(args: argparse.Namespace) -> bool:
    """Whether the options choose metrics of samples.

    Raises:
        ConfigError: If an option is typed without the one that it needs.
    """
    needed = {
        "classifier": ("features", "classifier"),
        "inception_weights": ("features", "inception"),
    }
    for name, (other, value) in needed.items():
        if vars(args)[name] is not None and vars(args)[other] != value:
            raise ConfigError(
                f"`--{name.replace('_', '-')}` needs `--{other} {value}`: add it, or leave both."
            )
    if args.lpips_weights is not None and args.lpips is None:
        raise ConfigError(
            "`--lpips-weights` needs `--lpips`, the backbone of these weights: add it."
        )
    return any(each is not None for each in (args.features, args.lpips, args.num_generated))


def evaluator_of(
    args: argparse.Namespace, data: DataSplits, settings: DataConfig, *, device: torch.device
) -> PixelCNNEvaluator:
    """The evaluator with the networks that the options choose.

    Raises:
        ConfigError: If there is no classifier of these images.
        CheckpointError: If weights cannot be read or downloaded.
        MissingDependencyError: If a library is not installed.
    """
    perceptual = None
    if args.lpips is not None:
        perceptual = PerceptualDistance(args.lpips, weights=args.lpips_weights, device=device)
    features: Features | Literal["default"] | None = features_of(args, data, settings)
    if features is None and args.num_generated is not None:
        features = "default"
    return PixelCNNEvaluator(features=features, perceptual=perceptual)


def features_of(
    args: argparse.Namespace, data: DataSplits, settings: DataConfig
) -> Features | None:
    """The network of `--features`.

    Raises:
        ConfigError: If there is no classifier of these images, or the chosen one is of others.
        CheckpointError: If a classifier cannot be read.
    """
    if args.features is None:
        return None
    if args.features == "inception":
        return InceptionFeatures(args.inception_weights)
    if args.classifier is None:
        return ClassifierFeatures(classifier_for(data, settings))
    found = ClassifierFeatures(args.classifier)
    check_labels(found.classifier, data)
    return found


def check_labels(classifier: TrainedClassifier, data: DataSplits) -> None:
    """Raises `ConfigError` if a classifier has other labels than the images."""
    known, given = classifier.network.labels, data.label_names
    if known and given and known != tuple(given):
        raise ConfigError(
            f"The labels of the classifier must be those of the images: {classifier.name} has "
            f"{first_names(known)}; the images have {first_names(given)}. {TRAIN_ONE}"
        )


def classifier_for(data: DataSplits, settings: DataConfig) -> TrainedClassifier:
    """The bundled classifier that was trained on such images."""
    wanted = form_of(settings)
    for name in list_classifiers():
        classifier = load_classifier(name)
        if classifier.training["data"] == wanted and classifier.network.spec == data.spec:
            return classifier
    raise ConfigError(
        f"No bundled classifier was trained on {data.protocol.partition(',')[0]} in this form. "
        f"{TRAIN_ONE}"
    )


def form_of(settings: DataConfig) -> dict[str, Any]:
    """The settings in which classifiers of the same images agree."""
    return {"dataset_name": settings.dataset_name, "binarization": settings.binarization}


def sample_quality_summary(metrics: Mapping[str, Any]) -> list[str]:
    """The sample quality as text: a line for each metric, and why others are missing."""
    if "samples_protocol" not in metrics:
        return []
    about = metrics["samples_protocol"]
    lines = [
        f"{counted(about['num_generated'], 'sample')} compared with "
        f"{counted(about['num_real'], 'real image')}, seed {about['seed']}, by "
        f"{about.get('features', 'no features')}:"
    ]
    missing: dict[str, list[str]] = {}
    for name, text in _rows(metrics).items():
        words, reason = name.replace("_", " "), metrics["not_measured"].get(name)
        if reason is None:
            lines.append(f"  {words:26} {text}")
        else:
            missing.setdefault(reason, []).append(words)
    lines += [f"  not measured: {', '.join(names)} – {why}" for why, names in missing.items()]
    if about.get("caution"):
        lines.append(f"  caution: {about['caution']}")
    return lines


def _rows(metrics: Mapping[str, Any]) -> dict[str, str]:
    """The metrics as text, by name."""

    def mean(name: str, spread: str, digits: int = 3) -> str:
        if metrics[name] is None:
            return ""
        error = "" if metrics[spread] is None else f" ± {metrics[spread]:.{digits}f}"
        return f"{metrics[name]:.{digits}f}{error}"

    def share(name: str, interval: str | None = None) -> str:
        if metrics[name] is None:
            return ""
        text = f"{100 * metrics[name]:.2f} %"
        if interval is None:
            return text
        low, high = (100 * end for end in metrics[interval])
        return f"{text} [{low:.2f}, {high:.2f}]"

    return {
        "fid": "" if metrics["fid"] is None else f"{metrics['fid']:.4f}",
        "kid": mean("kid", "kid_sd", 5),
        "inception_score": mean("inception_score", "inception_score_sd"),
        "precision": share("precision"),
        "recall": share("recall"),
        "label_accuracy": share("label_accuracy", "label_accuracy_ci95"),
        "classifier_test_accuracy": share("classifier_test_accuracy"),
        "lpips_diversity": mean("lpips_diversity", "lpips_diversity_stderr"),
        "perceptual_distance": mean("perceptual_distance", "perceptual_distance_stderr"),
        "nearest_training_distance": _memory(metrics["nearest_training_distance"]),
    }


def _memory(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return ""
    return (
        f"median {found['generated']['q50']:.4f}, of test images {found['test']['q50']:.4f}; "
        f"closer than a test image with probability {found['nearer_than_test']:.3f}; "
        f"near copies: {100 * found['near_copies']:.1f} % (of test images 1 %); "
        f"exact copies: {found['copies']:,}"
    )
