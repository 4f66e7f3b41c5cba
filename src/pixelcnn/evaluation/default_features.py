"""The features that fit a set of images, where none were chosen."""

import torch

from pixelcnn.data import ImageSet, batches
from pixelcnn.errors import ConfigError
from pixelcnn.metrics.classifier_file import load_classifier
from pixelcnn.metrics.features import ClassifierFeatures, Features, InceptionFeatures
from pixelcnn.weights import list_classifiers

CHECKED_IMAGES = 500
LEAST_ACCURACY = 0.8
"""Of a bundled classifier on the images: below it, they are of another data set."""


def default_features(images: ImageSet) -> Features:
    """The features that fit these images: a bundled classifier, or Inception for photographs.

    A bundled classifier fits images of its shape and levels whose labels it recognises. Inception
    fits RGB images of at least 32×32 pixels.

    Args:
        images: The real images.

    Returns:
        Features that are ready, weights and all.

    Raises:
        ConfigError: If none fit.
        CheckpointError: If the weights of Inception cannot be had.
        MissingDependencyError: If torch-fidelity is not installed.

    Example:
        >>> from pixelcnn.data import load_data
        >>> default_features(load_data("digits").test).describe()["features"]
        'classifier digits'
    """
    features: Features
    if (classifier := _bundled(images)) is not None:
        features = classifier
    elif InceptionFeatures().caution(images.spec) is None:
        features = InceptionFeatures()
    else:
        raise ConfigError(
            "no default features fit these images: no bundled classifier does, and Inception is "
            "for RGB photographs of at least 32×32 pixels. Train a classifier by `pixelcnn "
            "train-classifier` and choose it by `features=ClassifierFeatures(FILE)`"
        )
    _ = features.options
    return features


def _bundled(images: ImageSet) -> ClassifierFeatures | None:
    """The bundled classifier of these images; None if there is none."""
    for name in list_classifiers():
        classifier = load_classifier(name)
        if classifier.network.spec != images.spec:
            continue
        if images.labels is None:
            return ClassifierFeatures(
                classifier,
                caution=f"the classifier {name} was chosen by the shape of the images alone: "
                f"without labels it is unknown whether it recognises them",
            )
        some = images.take(torch.arange(min(CHECKED_IMAGES, len(images))))
        (x, conditions), *_ = batches(some, CHECKED_IMAGES)
        assert conditions.labels is not None
        is_right = classifier.network.predict(x) == conditions.labels.cpu()
        if is_right.double().mean() >= LEAST_ACCURACY:
            return ClassifierFeatures(classifier)
    return None
