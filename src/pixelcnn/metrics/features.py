"""Features of images for FID and other distances between sets: Inception, or a classifier."""

import copy
import hashlib
import pickle
from abc import ABC, abstractmethod
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor

from pixelcnn.errors import CheckpointError, ConfigError, require
from pixelcnn.metrics.classifier import ImageClassifier
from pixelcnn.metrics.classifier_file import TrainedClassifier, load_classifier
from pixelcnn.spec import ImageSpec, requantise

InceptionLayer: TypeAlias = Literal["64", "192", "768", "2048"]
INCEPTION = "inception-v3-compat"
INCEPTION_CLASSES = 1008
LEAST_SIDE = 32  # that of CIFAR-10, the smallest images for which papers report FID


class Features(ABC):
    """Maps images to features, from which torch-fidelity computes distances between sets.

    Attributes:
        layer: Of the extractor, for all metrics but the Inception score.
        num_features: Features F of an image.
        num_classes: Classes of the Inception score.
    """

    layer: str
    num_features: int
    num_classes: int

    @abstractmethod
    def prepare(self, x: Tensor, spec: ImageSpec) -> Tensor:
        """Turns levels (B, C, H, W) as `spec` says into what the extractor reads, (B, C', H, W).

        Raises:
            ConfigError: If it cannot read such images.
        """

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """The part of the protocol that describes the features, in JSON types."""

    @abstractmethod
    def caution(self, spec: ImageSpec) -> str | None:
        """Why metrics of such images must be read with care; None if they need not."""

    @property
    @abstractmethod
    def options(self) -> dict[str, Any]:
        """Arguments of `torch_fidelity.calculate_metrics`, with the weights in place.

        Raises:
            CheckpointError: If its weights cannot be had.
            MissingDependencyError: If torch-fidelity is not installed.
        """


class InceptionFeatures(Features):
    """Features of Inception-v3, for photographs: those that define FID.

    Args:
        weights: File of the weights that torch-fidelity publishes. None: torch-fidelity downloads
            it once and keeps it.
        layer: The last pooling, "2048", is that of published FIDs; earlier layers have fewer
            features, and need fewer images.

    References:
        GANs trained by a two time-scale update rule converge to a local Nash equilibrium (Heusel
        et al., 2017), section "Fréchet inception distance". https://arxiv.org/abs/1706.08500
    """

    def __init__(self, weights: str | Path | None = None, *, layer: InceptionLayer = "2048"):
        if layer not in ("64", "192", "768", "2048"):
            raise ConfigError(f"`layer` must be '64', '192', '768' or '2048', got {layer!r}.")
        self.weights = None if weights is None else Path(weights)
        self.layer = layer
        self.num_features = int(layer)
        self.num_classes = INCEPTION_CLASSES

    def prepare(self, x: Tensor, spec: ImageSpec) -> Tensor:
        if spec.channels not in (1, 3):
            raise ConfigError(
                f"Inception reads grey or RGB images, got {spec.channels} channels. "
                f"Use the features of a classifier."
            )
        rgb = requantise(x, spec.levels, to=256).to(torch.uint8)
        return rgb.expand(-1, 3, -1, -1)

    def describe(self) -> dict[str, Any]:
        weights = _inception_url() if self.weights is None else digest_of(self.weights)
        return {"features": INCEPTION, "feature_layer": self.layer, "feature_weights": weights}

    def caution(self, spec: ImageSpec) -> str | None:
        if spec.channels == 3 and min(spec.height, spec.width) >= LEAST_SIDE:
            return None
        return (
            f"Inception was trained on RGB photographs, not on images of {_in_words(spec)}; use "
            f"the features of a classifier of these images"
        )

    @cached_property
    def options(self) -> dict[str, Any]:
        fidelity = require("torch_fidelity", extra="metrics")
        if self.weights is not None:
            check_weights(self.weights, "--inception-weights", url=_inception_url())
        path = None if self.weights is None else str(self.weights)
        try:
            # Once now, so that missing weights are an error before images are generated.
            fidelity.FeatureExtractorInceptionV3(
                INCEPTION, [self.layer], feature_extractor_weights_path=path, verbose=False
            )
        except (OSError, RuntimeError) as error:
            raise CheckpointError(self._explain(error)) from error
        return {
            "feature_extractor": INCEPTION,
            "feature_extractor_weights_path": path,
            **{f"feature_layer_{metric}": self.layer for metric in ("fid", "kid", "prc")},
        }

    def _explain(self, error: Exception) -> str:
        reason = " ".join(str(error).split())[:200]
        if self.weights is not None:
            return (
                f"{self.weights} does not hold torch-fidelity's Inception ({reason}). "
                f"`--inception-weights` must name the file from {_inception_url()}."
            )
        return (
            f"The weights of Inception are missing: {_inception_url()} could not be downloaded "
            f"({reason}), and no file of them is named. Download that file elsewhere and name it "
            f"by `--inception-weights` or `InceptionFeatures(FILE)`, or use the features of a "
            f"classifier (`--features classifier`)."
        )


class ClassifierFeatures(Features):
    """Features of the last hidden layer of a classifier of the images, in place of Inception's.

    They compare models by the same classifier, never with metrics by another network.

    Args:
        classifier: A file of `pixelcnn train-classifier`, the name of a bundled classifier, or a
            loaded classifier.
        caution: Why its metrics must be read with care; None if they need not.

    Example:
        >>> features = ClassifierFeatures("digits")
        >>> features.num_features, features.num_classes
        (64, 10)
    """

    layer = "features"

    def __init__(
        self, classifier: str | Path | TrainedClassifier, *, caution: str | None = None
    ) -> None:
        if not isinstance(classifier, TrainedClassifier):
            classifier = load_classifier(classifier)
        self.classifier = classifier
        self._caution = caution
        self.num_features = classifier.network.num_features
        self.num_classes = classifier.network.num_labels

    def prepare(self, x: Tensor, spec: ImageSpec) -> Tensor:
        wanted = self.classifier.network.spec
        if spec != wanted:
            raise ConfigError(
                f"The classifier {self.classifier.name} is for images of "
                f"{_in_words(wanted)}, got {_in_words(spec)}. Train one on these images by "
                f"`pixelcnn train-classifier`."
            )
        return x

    def describe(self) -> dict[str, Any]:
        said = self.classifier.training
        return {
            "features": f"classifier {self.classifier.name}",
            "feature_layer": f"{self.num_features} outputs of the last hidden layer",
            "feature_weights": self._digest,
            "classifier_protocol": said.get("protocol"),
            "classifier_reported_accuracy": said.get("test_accuracy"),
        }

    def caution(self, spec: ImageSpec) -> str | None:
        return self._caution

    @cached_property
    def options(self) -> dict[str, Any]:
        name = f"pixelcnn-classifier-{self._digest}"
        _register(name, self.classifier.network)
        return {"feature_extractor": name}

    @cached_property
    def _digest(self) -> str:
        digest = hashlib.sha256()
        for key, weight in sorted(self.classifier.network.state_dict().items()):
            digest.update(key.encode())
            digest.update(weight.cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()[:16]


def _register(name: str, network: ImageClassifier) -> None:
    """Registers a classifier at torch-fidelity, once for each name."""
    fidelity = require("torch_fidelity", extra="metrics")
    registry = require("torch_fidelity.registry", extra="metrics")
    if name in registry.FEATURE_EXTRACTORS_REGISTRY:
        return

    class Extractor(fidelity.FeatureExtractorBase):  # type: ignore[name-defined]
        def __init__(self, name: str, features_list: list[str], **_: object) -> None:
            super().__init__(name, features_list)
            self.network = copy.deepcopy(network)

        def forward(self, x: Tensor) -> tuple[Tensor, ...]:
            features, logits = self.network(x)
            found = {"features": features, "logits": logits}
            return tuple(found[name] for name in self.features_list)

        @staticmethod
        def get_provided_features_list() -> tuple[str, ...]:
            return "features", "logits"

        @staticmethod
        def get_default_feature_layer_for_metric(metric: str) -> str:
            return "logits" if metric == "isc" else "features"

        @staticmethod
        def can_be_compiled() -> bool:
            return False

    fidelity.register_feature_extractor(name, Extractor)


def check_weights(path: Path, option: str, *, url: str) -> dict[str, Tensor]:
    """Reads a file of weights without running code that it may hold.

    After that check, libraries that unpickle it are safe, too.

    Args:
        path: A file of `torch.save`.
        option: The option that names it.
        url: Where the file is published, for messages.

    Raises:
        CheckpointError: If it is missing, damaged or holds anything but tensors.
    """
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "is missing"
        raise CheckpointError(f"`{option}` must name the file from {url}, but {path} {what}.")
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file can raise any
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].split(". ")[0]
        if isinstance(error, pickle.UnpicklingError):
            # The message of torch advises to run the code that the file holds.
            reason = "it is damaged, or holds something else than tensors"
        raise CheckpointError(
            f"{path} is no file of weights that can be read safely ({reason}). "
            f"`{option}` takes the file from {url}: download it again."
        ) from error
    if not isinstance(weights, dict) or not all(
        isinstance(weight, Tensor) for weight in weights.values()
    ):
        raise CheckpointError(
            f"{path} must hold tensors by name, a state dict, got {type(weights).__name__}. "
            f"`{option}` takes the file from {url}."
        )
    return weights


def digest_of(path: Path) -> str:
    """The name of a file and its checksum."""
    return f"{path.name}, sha256 {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"


def _inception_url() -> str:
    module = require("torch_fidelity.feature_extractor_inceptionv3", extra="metrics")
    return str(module.URL_INCEPTION_V3)


def _in_words(spec: ImageSpec) -> str:
    return f"{spec.channels}×{spec.height}×{spec.width} of {spec.levels} levels"
