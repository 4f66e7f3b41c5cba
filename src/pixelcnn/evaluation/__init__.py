"""What a model is worth: its likelihood of images it has not seen, and the images it draws."""

from pixelcnn.evaluation.evaluator import PixelCNNEvaluator
from pixelcnn.evaluation.labels import labels_by_name
from pixelcnn.evaluation.likelihood import (
    check_condition,
    check_fit,
    check_spec,
    density_given,
    density_of,
    evaluate,
    figures_of,
    is_told,
    log_probs,
)
from pixelcnn.evaluation.ood import Auc, OODDetection, detect_ood, roc_auc

__all__ = [
    "Auc",
    "OODDetection",
    "PixelCNNEvaluator",
    "check_condition",
    "check_fit",
    "check_spec",
    "density_given",
    "density_of",
    "detect_ood",
    "evaluate",
    "figures_of",
    "is_told",
    "labels_by_name",
    "log_probs",
    "roc_auc",
]
