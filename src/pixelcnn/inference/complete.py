"""Completing images of which any part is known."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from pixelcnn.arguments import named_arguments, whole_number
from pixelcnn.inference.completions import Completions, raster_completions
from pixelcnn.inference.masks import is_prefix
from pixelcnn.inference.mcmc.completions import gibbs_completions
from pixelcnn.inference.query import Progress, choose_method, make_query
from pixelcnn.inference.smc.completions import smc_completions
from pixelcnn.models import AutoregressiveModel, Cond

COMPLETION_METHODS: dict[str, Callable[..., Completions]] = {
    "raster": raster_completions,
    "smc": smc_completions,
    "gibbs": gibbs_completions,
}
"""Each takes a `Query`, the number of completions, and options of its own by name."""


@named_arguments
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
    """Samples the unknown sub-pixels of images, given those known before and after them.

    ============  =======================================================  ========================
    method        how                                                      options
    ============  =======================================================  ========================
    `raster`      in order, given what is known before: exact where that   none
                  is everything known
    `smc`         from populations weighted by what is known later         `num_populations`,
                                                                           `num_particles`,
                                                                           `resample_below`
    `gibbs`       updates single sub-pixels given all others, starting     `num_sweeps`, `start`,
                  from samples of `smc` or `raster`                        `num_particles`,
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
        progress: Called with the parts of the work that are done, and all.
        **options: As the method takes them.

    Returns:
        Completions, the most probable first. Known sub-pixels are as given. An
        `UnreliableEstimateWarning` says why they are unreliable, if they are.

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
    query = make_query(
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
    method = default_completion_method(query.known) if method is None else method
    run_method = choose_method(COMPLETION_METHODS, method, options, complete)
    found = run_method(query, count)
    found.warn()
    return found


def default_completion_method(known: Tensor) -> str:
    """The method of completing images where none is named.

    Args:
        known: True where known. (B, C, H, W), bool.

    Returns:
        "raster" where it is exact for all of them, else "smc".
    """
    return "raster" if bool(is_prefix(known).all()) else "smc"
