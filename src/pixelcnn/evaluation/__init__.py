"""What a model is worth: its likelihood of images it has not seen, and the images it draws."""

from pixelcnn.evaluation.evaluator import PixelCNNEvaluator
from pixelcnn.evaluation.likelihood import (
    check_condition,
    check_fit,
    density_given,
    density_of,
    evaluate,
    figures_of,
    is_told,
    log_probs,
)

__all__ = [
    "PixelCNNEvaluator",
    "check_condition",
    "check_fit",
    "density_given",
    "density_of",
    "evaluate",
    "figures_of",
    "is_told",
    "log_probs",
]
