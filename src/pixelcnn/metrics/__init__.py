"""Metrics of likelihoods and of samples, and the networks that some of them need."""

from pixelcnn.metrics.bootstrap import Interval, bootstrap_interval
from pixelcnn.metrics.classifier import ImageClassifier
from pixelcnn.metrics.classifier_file import TrainedClassifier, load_classifier, save_classifier
from pixelcnn.metrics.features import ClassifierFeatures, Features, InceptionFeatures
from pixelcnn.metrics.fidelity import compare_sets
from pixelcnn.metrics.neighbours import Memorisation, nearest
from pixelcnn.metrics.perceptual import PerceptualDistance
from pixelcnn.metrics.proportion import wilson_interval
from pixelcnn.metrics.results import MetricResults
from pixelcnn.metrics.units import bits_per_dim, perplexity

__all__ = [
    "ClassifierFeatures",
    "Features",
    "ImageClassifier",
    "InceptionFeatures",
    "Interval",
    "Memorisation",
    "MetricResults",
    "PerceptualDistance",
    "TrainedClassifier",
    "bits_per_dim",
    "bootstrap_interval",
    "compare_sets",
    "load_classifier",
    "nearest",
    "perplexity",
    "save_classifier",
    "wilson_interval",
]
