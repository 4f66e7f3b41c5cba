"""The distribution of one sub-pixel when nothing is known."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from pixelcnn.arguments import named_arguments, whole_number
from pixelcnn.inference.estimates import LevelEstimate, exact_estimate, from_weighted
from pixelcnn.inference.query import Progress, check_model, make_query, resolve_site
from pixelcnn.inference.smc.conditional import Populations, walk_populations
from pixelcnn.models import AutoregressiveModel, Cond


@dataclass(frozen=True)
class Marginal:
    """The distribution of a sub-pixel, estimated in two ways from the same samples.

    Attributes:
        averaged: The mean of the distributions that the model gives to the site: the more precise.
        counted: The shares of the levels that were sampled there.
    """

    averaged: LevelEstimate
    counted: LevelEstimate

    @property
    def variance_ratio(self) -> float:
        """The variance of counting over that of averaging: how many times more draws it needs.

        Variances are summed over the levels. Infinite where averaging is exact; NaN where all draws
        show one level, from which the variance of counts is unknown.
        """
        shares, draws = self.counted.probabilities, self.counted.num_draws
        counting = float((shares * (1 - shares)).sum()) / (draws - 1)
        averaging = float(self.averaged.stderr.square().sum())
        if shares.max() > 1 - 1e-9:
            return float("nan")
        return counting / averaging if averaging > 0 else float("inf")


@named_arguments
def marginal(
    model: AutoregressiveModel,
    site: Sequence[int],
    *,
    num_draws: int = 1000,
    shape: tuple[int, int, int] | None = None,
    cond: Cond = None,
    seed: int = 0,
    batch_size: int = 256,
    progress: Progress | None = None,
) -> Marginal:
    """The distribution of a sub-pixel when nothing is known.

    The sub-pixels before the site are sampled, and the distributions that the model then gives to
    it are averaged; they vary less than sampled levels (the Rao-Blackwell theorem). For the first
    sub-pixel the result is exact.

    Args:
        model: Any architecture.
        site: (channel, row, column), or (row, column) where there is one channel.
        num_draws: Images sampled, down to the row of the site.
        shape: (C, H, W); None for the model's own size.
        cond: As the model takes it, for one image.
        seed: From 0 to 2**64 - 1; with the number of a draw it decides that draw.
        batch_size: Images walked together.
        progress: Called with the draws that are done, and all.

    Returns:
        The distribution, with standard errors.

    Raises:
        ShapeError: If `site`, `shape` or `cond` does not fit the model.
        ConfigError: If `num_draws` is below 2, or `seed` is out of range.

    References:
        Monte Carlo theory, methods and examples (Owen, 2013), section 8.7 (conditioning).
        https://artowen.su.domains/mc/

    Example:
        >>> from pixelcnn.models import PixelCNN
        >>> found = marginal(PixelCNN(num_classes=3, image_size=8), (0, 0))
        >>> found.averaged.probabilities.shape, found.averaged.is_exact
        (torch.Size([3]), True)
    """
    check_model(model)
    num_draws = whole_number("num_draws", num_draws, at_least=2)
    blank = model.blank(1, shape)
    nothing = torch.zeros_like(blank, dtype=torch.bool)
    query = make_query(
        model, blank, nothing, cond=cond, seed=seed, batch_size=batch_size, progress=progress
    )
    place = resolve_site(site, blank.shape[1:])
    plan = Populations("averaged", num_draws, 1, 0.0)
    expected, samples = [], []
    for first, count in plan.chunks(query.batch_size):
        particles = walk_populations(query, blank, nothing, plan, first, count, site=place)
        expected.append(particles.shares.cpu())
        samples.append(particles.x[:, place.channel, place.row, place.column].cpu())
        query.report(first + count, num_draws)
    shares, even = torch.cat(expected), torch.zeros(num_draws)
    counts = F.one_hot(torch.cat(samples), model.num_classes)
    averaged = from_weighted(even, shares, method="averaged", num_draws=num_draws)
    if query.order().index(place) == 0:
        averaged = exact_estimate(shares[0])
    counted = from_weighted(
        even, counts, method="counted", num_draws=num_draws, num_counted=num_draws
    )
    averaged.warn()
    return Marginal(averaged, counted)
