"""Completing images of which any part is known."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from pixelcnn.arguments import whole_number
from pixelcnn.inference.completions import Completions
from pixelcnn.inference.masks import is_prefix
from pixelcnn.inference.mcmc.completions import gibbs_completions
from pixelcnn.inference.query import Progress, ask, choose_method
from pixelcnn.inference.raster import raster
from pixelcnn.inference.smc.completions import smc_completions
from pixelcnn.models import AutoregressiveModel, Cond

COMPLETION_METHODS: dict[str, Callable[..., Completions]] = {
    "raster": raster,
    "smc": smc_completions,
    "gibbs": gibbs_completions,
}
"""Each takes a `Query`, the number of completions, and options of its own by name."""


def complete(
    model: AutoregressiveModel,
    images: Tensor,
    known: Tensor,
    *,
    method: str | None = None,
    num_completions: int = 8,
    cond: Cond = None,
    seed: int = 0,
    batch_size: int = 256,
    progress: Progress | None = None,
    **options: Any,
) -> Completions:
    """Draws what is missing of images, given what is known of them before and after it.

    ============  =======================================================  ========================
    method        how                                                      options
    ============  =======================================================  ========================
    `raster`      in order, seeing only what is known before: exact where  none
                  that is everything known
    `smc`         from populations that are weighed by what is known       `num_populations`,
                  later                                                    `num_particles`,
                                                                           `resample_below`
    `gibbs`       from draws of `smc` or `raster` on, redraws single       `num_sweeps`, `start`,
                  sub-pixels given all others                              `num_particles`,
                                                                           `scan`, `kernel`,
                                                                           `on_sweep`
    ============  =======================================================  ========================

    Args:
        model: Any architecture.
        images: Levels; read only where known. (C, H, W) or (B, C, H, W).
        known: True where known, for all images or for each: (H, W), (C, H, W) or (B, C, H, W),
            bool. See `pixelcnn.inference.known_mask`.
        method: None for `raster` where it is exact for all images, else `smc`.
        num_completions: M, of each image.
        cond: As the model takes it, one for all images or one for each.
        seed: From 0 to 2**64 - 1; with the arguments it decides the completions.
        batch_size: Images walked together.
        progress: Is told the parts of the work that are done, and all.
        **options: As the method takes them.

    Returns:
        Completions, the most probable first. Known sub-pixels are as they were given. If the
        method's own diagnostics speak against them, an `UnreliableEstimateWarning` says so.

    Raises:
        ShapeError: If `images`, `known` or `cond` does not fit the model or one another, or a
            known level is out of range.
        ConfigError: If the method is unknown, or an option is out of range.

    Example:
        >>> import torch
        >>> from pixelcnn.inference import known_mask
        >>> from pixelcnn.models import PixelCNN
        >>> model, x = PixelCNN(num_classes=2, image_size=8), torch.ones(1, 8, 8).long()
        >>> found = complete(model, x, known_mask("bottom", (1, 8, 8)), num_completions=3)
        >>> found.method, found.images.shape, found.images[:, :, :, :4].min().item()
        ('raster', torch.Size([1, 3, 1, 8, 8]), 1)
    """
    question = ask(
        model,
        images,
        known,
        name="images",
        cond=cond,
        seed=seed,
        batch_size=batch_size,
        progress=progress,
    )
    count = whole_number("num_completions", num_completions)
    method = default_method(question.known) if method is None else method
    answer = choose_method(COMPLETION_METHODS, method, options)
    found = answer(question, count)
    found.warn()
    return found


def default_method(known: Tensor) -> str:
    """How images are completed where no method is named.

    Args:
        known: True where known. (B, C, H, W), bool.

    Returns:
        "raster" where it is exact for all of them, else "smc".
    """
    return "raster" if bool(is_prefix(known).all()) else "smc"
