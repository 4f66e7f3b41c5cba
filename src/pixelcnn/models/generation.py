"""What every architecture does before it samples: shapes and conditions, checked."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from pixelcnn.arguments import image_shape, whole_number
from pixelcnn.errors import ShapeError
from pixelcnn.walk import RepeatedSampling, SamplingOptions, recorder_for

if TYPE_CHECKING:
    from pixelcnn.models.base import AutoregressiveModel

logger = logging.getLogger(__name__)

DEFAULT_SIDE = 32
"""Height and width of samples of a model without `image_size`."""


def sample_shape(
    model: "AutoregressiveModel", shape: Sequence[int] | None = None
) -> tuple[int, ...]:
    """The shape of samples: the one given, the model's own, or else 32 × 32 pixels.

    Args:
        model: Any architecture.
        shape: (C, H, W); None for the model's own size. A model without one samples 32 × 32
            pixels, and a line in the log says so.

    Raises:
        ShapeError: If `shape` is not (C, H, W) with the channels of the model.
    """
    if shape is None and model.image_size is not None:
        return model.spec.shape
    if shape is None:
        side = max(DEFAULT_SIDE, model.least_side)
        sizes: tuple[int, ...] = (model.in_channels, side, side)
        logger.warning(
            "The model has no `image_size`: sampling images of shape %s. "
            "Pass `shape=(C, H, W)` for another.",
            sizes,
        )
        return sizes
    sizes = image_shape(shape)
    if sizes[0] != model.in_channels:
        raise ShapeError(f"`shape` must be (C, H, W) with C = {model.in_channels}, got {sizes}.")
    return sizes


def prepare_sampling(
    model: "AutoregressiveModel",
    num_samples: int,
    options: SamplingOptions,
    *,
    num_blank: int | None = None,
) -> tuple[Tensor, Tensor | None]:
    """Blank images and the condition of each sample, once all options fit the model.

    Args:
        model: Any architecture.
        num_samples: Images, N.
        options: How to sample.
        num_blank: Blank images at most; None for all.

    Returns:
        Zeros (B, C, H, W), int64, and a condition (N, …) or None.
    """
    model.condition.check_guidance(options.guidance)
    num_samples = whole_number("num_samples", num_samples)
    x = model.blank(min(num_samples, num_blank or num_samples), options.shape)
    cond = model.prepare_cond(options.cond, num_samples)
    # Only the shape of the images is checked: there is no memory for all of them.
    model.condition.check(cond, x[:1].expand(num_samples, -1, -1, -1))
    return x, cond


def sample_images(
    model: "AutoregressiveModel", num_samples: int, options: SamplingOptions
) -> Tensor:
    """Samples images, batch by batch. Levels. (N, C, H, W), int64, on the model's device."""
    x, cond = prepare_sampling(model, num_samples, options)
    sampling = RepeatedSampling(model, options, recorder=recorder_for(x.device))
    for first in range(0, num_samples, options.batch_size):
        own = slice(first, first + options.batch_size)
        for _ in sampling.rows(x[own], first=first, cond=None if cond is None else cond[own]):
            pass
    return x
