"""The image size that a command samples or verifies at."""

from pixelcnn.errors import ConfigError
from pixelcnn.runs import TrainedModel


def typed_shape(trained: TrainedModel, size: tuple[int, int] | None) -> tuple[int, int, int] | None:
    """(C, H, W) of a typed size; None for the model's own.

    Raises:
        ConfigError: If none was typed and the model has none.
    """
    if size is None and trained.model.image_size is None:
        raise ConfigError(f"`{trained.file}` has no image size of its own: add `--size HxW`.")
    return None if size is None else (trained.model.in_channels, *size)
