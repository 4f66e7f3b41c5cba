"""The distribution of one sub-pixel, given any others."""

from collections.abc import Callable, Sequence
from functools import partial
from inspect import signature
from typing import Any

import torch
from torch import Tensor

from pixelcnn.arguments import named_arguments, whole_number
from pixelcnn.errors import ShapeError
from pixelcnn.inference.estimates import LevelEstimate, exact_estimate
from pixelcnn.inference.exact import exact, num_states
from pixelcnn.inference.mcmc.conditional import check_chains, gibbs
from pixelcnn.inference.query import Progress, Query, choose_method, make_query, resolve_site
from pixelcnn.inference.smc.conditional import check_populations, importance, smc
from pixelcnn.models import AutoregressiveModel, Cond
from pixelcnn.order import Site

CONDITIONAL_METHODS: dict[str, Callable[..., LevelEstimate]] = {
    "exact": exact,
    "importance": importance,
    "smc": smc,
    "gibbs": gibbs,
}
"""Each takes a `Query` of one image, the site, and its own options by name."""

OPTION_CHECKS: dict[str, Callable[..., object]] = {
    "exact": partial(whole_number, "max_states"),
    "importance": partial(whole_number, "num_draws", at_least=2),
    "smc": check_populations,
    "gibbs": check_chains,
}
"""Checks of the options of each, in their order, for sites that need no method."""

FEW_STATES = 4096


@named_arguments
def conditional(
    model: AutoregressiveModel,
    site: Sequence[int],
    *,
    given: Tensor,
    known: Tensor,
    method: str | None = None,
    cond: Cond = None,
    seed: int = 0,
    batch_size: int = 256,
    progress: Progress | None = None,
    **options: Any,
) -> LevelEstimate:
    """The distribution of a sub-pixel, given those that are known before and after it.

    ============  =======================================================  ========================
    method        how                                                      options
    ============  =======================================================  ========================
    `exact`       sums over all images that are possible                   `max_states`
    `importance`  samples in order, weights by what is known later         `num_draws`
    `smc`         likewise, and resamples by weight on the way             `num_populations`,
                                                                           `num_particles`,
                                                                           `resample_below`
    `gibbs`       averages full conditionals along Markov chains           `num_chains`,
                                                                           `num_sweeps`,
                                                                           `num_burn_in`,
                                                                           `scan`, `kernel`
    ============  =======================================================  ========================

    Args:
        model: Any architecture.
        site: (channel, row, column), or (row, column) where there is one channel. If it is itself
            known, its level has probability 1.
        given: Levels of one image; read only where known. (C, H, W) or (1, C, H, W).
        known: True where known. (H, W), (C, H, W) or (1, C, H, W), bool.
        method: None for `exact` where at most 4,096 images are possible, else `smc`.
        cond: As the model takes it, for one image.
        seed: From 0 to 2**64 - 1; with the arguments it decides the estimate.
        batch_size: Images walked together, at most.
        progress: Called with the parts of the work that are done, and all parts.
        **options: As the method takes them.

    Returns:
        Probabilities with standard errors. An unreliable estimate raises an
        `UnreliableEstimateWarning` and lists the reasons in `warnings`.

    Raises:
        ShapeError: If `site`, `given`, `known` or `cond` does not fit the model or one another.
        ConfigError: If the method is unknown or does not apply, or an option is out of range.

    Example:
        >>> from pixelcnn.models import PixelCNN
        >>> model = PixelCNN(num_classes=2, image_size=3)
        >>> x = torch.ones(1, 3, 3, dtype=torch.int64)
        >>> known = torch.arange(9).view(3, 3) > 4  # what comes last
        >>> found = conditional(model, (1, 1), given=x, known=known)
        >>> found.method, found.num_draws
        ('exact', 32)
    """
    query = make_query(
        model, given, known, cond=cond, seed=seed, batch_size=batch_size, progress=progress
    )
    if len(query.given) != 1:
        raise ShapeError(f"`given` must be one image, got {len(query.given)}.")
    place = resolve_site(site, query.given.shape[1:])
    method = default_conditional_method(query, place) if method is None else method
    run_method = choose_method(CONDITIONAL_METHODS, method, options, conditional)
    at = (0, *place)
    if query.known[at]:
        bound = signature(run_method).bind(query, place)
        bound.apply_defaults()
        OPTION_CHECKS[method](*bound.kwargs.values())
        level = int(query.given[at])
        return exact_estimate(torch.eye(model.num_classes, dtype=torch.float64)[level])
    found = run_method(query, place)
    found.warn()
    return found


def default_conditional_method(query: Query, site: Site) -> str:
    """The method of a query of one image where none is named.

    Returns:
        "exact" where at most 4,096 images are possible, else "smc".
    """
    return "exact" if num_states(query, site) <= FEW_STATES else "smc"
