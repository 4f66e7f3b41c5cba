"""Checks the image size that a command samples or verifies at."""

from pixelcnn.errors import ConfigError
from pixelcnn.runs import TrainedModel


def require_size(trained: TrainedModel, size: tuple[int, int] | None) -> None:
    """Raises `ConfigError` unless a model has an image size of its own, or one was typed."""
    if size is None and trained.model.image_size is None:
        raise ConfigError(f"`{trained.file}` has no image size of its own: add `--size HxW`.")
