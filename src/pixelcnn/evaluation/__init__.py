"""Metrics of models: likelihood of held-out images, quality of samples, OOD detection."""

from pixelcnn.evaluation.evaluator import PixelCNNEvaluator
from pixelcnn.evaluation.labels import labels_by_name
from pixelcnn.evaluation.likelihood import (
    check_fit,
    check_image_conditions,
    check_spec,
    density_name,
    evaluate,
    evaluated_density,
)
from pixelcnn.evaluation.ood import Auc, OODDetection, detect_ood, roc_auc

__all__ = [
    "Auc",
    "OODDetection",
    "PixelCNNEvaluator",
    "check_fit",
    "check_image_conditions",
    "check_spec",
    "density_name",
    "detect_ood",
    "evaluate",
    "evaluated_density",
    "labels_by_name",
    "roc_auc",
]
