"""Files of classifiers: safetensors with a card, written atomically, read without pickle."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixelcnn.errors import CheckpointError, PixelCNNError
from pixelcnn.files import finite_json
from pixelcnn.metrics.classifier import ImageClassifier
from pixelcnn.spec import ImageSpec
from pixelcnn.tensor_files import (
    card_value,
    check_size,
    load_weights,
    no_more_parameters,
    read_tensors,
    read_text_header,
    unusable_weight,
    write_tensors,
)
from pixelcnn.weights import find_classifier, known_classifiers

FORMAT = "pixelcnn-classifier/1"
FIELDS = ("format", "config", "spec", "labels", "training")


@dataclass(frozen=True)
class TrainedClassifier:
    """A classifier and its card.

    Attributes:
        name: Its name in protocols: that of its file, without folder and ending.
        network: In eval mode.
        training: How it was trained: data, protocol, `test_accuracy` and so on.
    """

    name: str
    network: ImageClassifier
    training: Mapping[str, Any]


def save_classifier(
    network: ImageClassifier, path: str | Path, *, training: Mapping[str, Any] | None = None
) -> None:
    """Writes a classifier to one file that also holds its architecture.

    Args:
        network: The classifier.
        path: The file. It is written whole or not at all.
        training: How it was trained. JSON types.

    Raises:
        OutputError: If the file cannot be written.
    """
    card = {
        "config": network.config,
        "spec": network.spec.as_dict(),
        "labels": network.labels,
        "training": finite_json(dict(training or {})),
    }
    write_tensors(path, network, {"format": FORMAT, **card})


def load_classifier(path: str | Path) -> TrainedClassifier:
    """Reads a classifier.

    Args:
        path: A file of `save_classifier`; or the name of a bundled classifier, unless a file of
            that name exists.

    Raises:
        CheckpointError: If the file is missing, damaged or holds something else.

    Example:
        >>> digits = load_classifier("digits")
        >>> digits.network.spec, digits.training["test_accuracy"] > 0.95
        (ImageSpec(channels=1, height=8, width=8, levels=17), True)
    """
    path = find_classifier(path)
    if not path.is_file():
        raise CheckpointError(
            f"{path} must be a classifier, but {'is a folder' if path.is_dir() else 'is missing'}. "
            f"Make one by `pixelcnn train-classifier`. {known_classifiers()}"
        )
    header = read_text_header(path)
    if header.get("format") != FORMAT:
        raise CheckpointError(
            f"{path} must be a classifier of format {FORMAT!r}, got "
            f"{header.get('format', 'none')!r}. Make one by `pixelcnn train-classifier`."
        )
    weights = read_tensors(path, header, fields=FIELDS)
    unusable = unusable_weight(weights)
    if unusable is not None:
        raise CheckpointError(
            f"{path} holds weights that are no finite numbers (`{unusable}`). Make it again."
        )
    try:
        config, training = (card_value(header, key, dict) for key in ("config", "training"))
        check_size(config, weights)
        labels = card_value(header, "labels", (list, type(None)))
        spec = ImageSpec(**card_value(header, "spec", dict))
        with no_more_parameters(weights):
            network = ImageClassifier(spec, labels=labels, **config)
        load_weights(network, weights)
    except (PixelCNNError, ValueError, TypeError, RuntimeError) as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise CheckpointError(
            f"{path} is no classifier that can be read ({reason}). Copy it again, or make it again."
        ) from error
    return TrainedClassifier(path.stem, network.eval(), training)
