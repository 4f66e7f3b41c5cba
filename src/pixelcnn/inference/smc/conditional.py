"""Conditionals by weighted samples: importance sampling and sequential Monte Carlo."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelcnn.arguments import whole_number
from pixelcnn.errors import ConfigError
from pixelcnn.inference.estimates import LevelEstimate, effective_sample_size, from_weighted
from pixelcnn.inference.query import Query
from pixelcnn.inference.smc.particles import Particles
from pixelcnn.order import Site
from pixelcnn.walk import image_noise

MAX_BRANCHES = 20
"""Up to so many levels, each level of the target sub-pixel is tried with every draw."""


def importance(query: Query, site: Site, *, num_draws: int = 1000) -> LevelEstimate:
    """The conditional distribution of a sub-pixel by importance sampling.

    Unknown sub-pixels are sampled in order from the model, and each sample is weighted by the
    probability of what is known after them. If much is known later, a few samples have nearly all
    the weight, and the effective sample size is small.

    Where nothing known comes after the site, the model's distributions there are averaged. Else
    each of up to 20 levels is tried with the same noise; of more levels the samples are counted.

    Args:
        query: Of one image.
        site: An unknown sub-pixel.
        num_draws: Images sampled; with each level if levels are tried.

    Raises:
        ConfigError: If `num_draws` is below 2.

    References:
        Monte Carlo theory, methods and examples (Owen, 2013), sections 9.2 and 9.3.
        https://artowen.su.domains/mc/
    """
    whole_number("num_draws", num_draws, at_least=2)
    return _estimate(query, site, Populations("importance", num_draws, 1, 0.0))


def smc(
    query: Query,
    site: Site,
    *,
    num_populations: int = 40,
    num_particles: int = 25,
    resample_below: float = 0.5,
) -> LevelEstimate:
    """The conditional distribution of a sub-pixel by sequential Monte Carlo.

    As `importance`, but in populations: when the weights of one have become uneven, its images are
    resampled. A population is an unbiased estimate of the probability of what is known, also
    together with each level of the site. Independent populations are weighted by it, and their
    spread gives the standard error.

    Args:
        query: Of one image.
        site: An unknown sub-pixel.
        num_populations: Independent populations, at least 10 for a reliable estimate.
        num_particles: Images of a population, walked together whatever the batch size.
        resample_below: Resamples where the effective sample size is below this share of the
            population.

    Raises:
        ConfigError: If an option is out of range.

    References:
        A Tutorial on Particle Filtering and Smoothing (Doucet & Johansen, 2009), section 3.5.
        On the Role of Interaction in Sequential Monte Carlo Algorithms (Whiteley et al., 2016),
        for the weights of populations.
    """
    check_populations(num_populations, num_particles, resample_below)
    plan = Populations("smc", num_populations, num_particles, resample_below)
    return _estimate(query, site, plan)


def check_populations(num_populations: int, num_particles: int, resample_below: float) -> None:
    """Raises `ConfigError` if a number of populations or particles is out of range."""
    if num_populations < 2:
        raise ConfigError(
            f"`num_populations` must be at least 2, got {num_populations}: their spread is the "
            f"standard error."
        )
    whole_number("num_particles", num_particles)
    if not 0 <= resample_below <= 1:
        raise ConfigError(f"`resample_below` must be from 0 to 1, got {resample_below:g}.")


@dataclass(frozen=True)
class Populations:
    """Numbers of populations and of images.

    Attributes:
        method: Name of the estimate.
        count: Independent populations.
        size: Images of each.
        resample_below: As `Particles` takes it.
    """

    method: str
    count: int
    size: int
    resample_below: float

    def chunks(self, at_once: int) -> Iterator[tuple[int, int]]:
        """First population and number of populations, of at most so many images or of one."""
        step = max(1, at_once // self.size)
        for first in range(0, self.count, step):
            yield first, min(step, self.count - first)


def _estimate(query: Query, site: Site, plan: Populations) -> LevelEstimate:
    order, levels = query.order(), query.model.num_classes
    known = query.known[0].cpu()
    is_last = not any(known[each] for each in list(order)[order.index(site) :])
    tries_levels = not is_last and levels <= MAX_BRANCHES
    branches = levels if tries_levels else 1
    found = []
    for first, count in plan.chunks(query.batch_size // branches):
        if tries_levels:
            found.append(_by_level(query, site, plan, first, count))
        else:
            found.append(_by_draw(query, site, plan, first, count, counted=not is_last))
        query.report(first + count, plan.count)
    log_weights, shares, of_draws = (torch.cat(parts) for parts in zip(*found, strict=True))
    is_counted = not is_last and not tries_levels
    return from_weighted(
        log_weights,
        shares,
        method=plan.method,
        num_draws=plan.count * plan.size,
        num_counted=float(effective_sample_size(of_draws)) if is_counted else None,
    )


def _by_level(
    query: Query, site: Site, plan: Populations, first: int, count: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Each level of the site is taken as known in turn.

    Returns:
        Log-weights of the populations (count,), their shares (count, K), and log-weights of all
        draws.
    """
    levels = query.model.num_classes
    given, known = query.given.repeat(levels, 1, 1, 1), query.known.clone()
    given[:, site.channel, site.row, site.column] = torch.arange(levels, device=given.device)
    known[:, site.channel, site.row, site.column] = True
    particles = walk_populations(query, given, known, plan, first, count)
    by_level = particles.log_evidence.view(levels, count)
    weights = by_level.logsumexp(0).cpu(), by_level.softmax(0).T.cpu()
    return *weights, particles.log_weights.cpu()


def _by_draw(
    query: Query, site: Site, plan: Populations, first: int, count: int, *, counted: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """The same from the samples: their distributions at the site, or their levels there."""
    particles = walk_populations(query, query.given, query.known, plan, first, count, site=site)
    shares = particles.shares
    if counted:
        samples = particles.x[:, site.channel, site.row, site.column]
        shares = F.one_hot(samples, query.model.num_classes).to(particles.log_weights)
    weights = particles.by_population(particles.log_weights).softmax(1)
    mean = (weights[:, :, None] * particles.by_population(shares)).sum(1)
    return particles.log_evidence.cpu(), mean.cpu(), particles.log_weights.cpu()


def walk_populations(
    query: Query,
    given: Tensor,
    known: Tensor,
    plan: Populations,
    first: int,
    count: int,
    *,
    site: Site | None = None,
) -> Particles:
    """Walks populations down to the last row that matters.

    Args:
        query: Of one image.
        given: Variants of the image, each of which is walked by all populations. (V, C, H, W).
        known: The same for all variants. (1, C, H, W).
        plan: Numbers of populations and images.
        first: Number of the first population: with the seed it decides their noise, which all
            variants share.
        count: Populations of each variant.
        site: Where to keep the model's distribution of the level.

    Returns:
        V × count populations, those of the first variant first.
    """
    per_variant = count * plan.size
    noise = image_noise(query.seed, first * plan.size, per_variant, *given.shape[1:])
    number = len(given) * per_variant
    particles = Particles(
        given.repeat_interleave(per_variant, 0),
        known.expand(number, -1, -1, -1),
        noise.repeat(len(given), 1, 1, 1),
        population=plan.size,
        resample_below=plan.resample_below,
        site=site,
    )
    cond = None if query.cond is None else query.cond.repeat_interleave(number, 0)
    rows = known[0].any(0).any(1).nonzero().flatten().tolist()
    last_row = max([*rows, -1 if site is None else site.row])
    particles.walk(query.model, cond, num_rows=last_row + 1)
    return particles
