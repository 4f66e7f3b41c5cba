"""Files of classifiers: safetensors with a card, written atomically, read without pickle."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from safetensors.torch import save as serialise

from pixelcnn.errors import CheckpointError, PixelCNNError
from pixelcnn.files import atomic_write, finite_json
from pixelcnn.metrics.classifier import ImageClassifier
from pixelcnn.spec import ImageSpec
from pixelcnn.weights import find_classifier, known_classifiers

FORMAT = "pixelcnn-classifier/1"


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
    header = {"format": FORMAT, **{key: json.dumps(value) for key, value in card.items()}}
    tensors = {k: v.detach().contiguous().cpu() for k, v in network.state_dict().items()}
    with atomic_write(Path(path)) as temporary:
        temporary.write_bytes(serialise(tensors, metadata=header))


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
    try:
        with safe_open(path, framework="pt") as file:
            card = file.metadata() or {}
        if card.get("format") != FORMAT:
            raise CheckpointError(
                f"{path} must be a classifier of format {FORMAT!r}, got "
                f"{card.get('format', 'none')!r}. Make one by `pixelcnn train-classifier`."
            )
        labels = json.loads(card["labels"])
        spec = ImageSpec(**json.loads(card["spec"]))
        network = ImageClassifier(spec, labels=labels, **json.loads(card["config"]))
        network.load_state_dict(load_file(path))
        training = json.loads(card["training"])
    except CheckpointError:
        raise
    except (
        PixelCNNError, KeyError, ValueError, TypeError, RuntimeError, OSError, SafetensorError
    ) as error:  # fmt: skip
        reason = str(error).strip().splitlines()[0]
        raise CheckpointError(
            f"{path} is no classifier that can be read ({reason}). Copy it again, or make it again."
        ) from error
    return TrainedClassifier(path.stem, network.eval(), training)
