"""Training: the Lightning module, its callbacks, and one function that runs it."""

from pixelcnn.errors import importing

with importing("train"):
    from pixelcnn.training.build import build_model
    from pixelcnn.training.module import PixelCNNTrainer
    from pixelcnn.training.run import TrainingResult, train_pixelcnn

__all__ = ["PixelCNNTrainer", "TrainingResult", "build_model", "train_pixelcnn"]
