"""Completions given all that is known: the ends of Markov chains."""

from collections.abc import Callable
from typing import Literal, TypeAlias

import torch
from einops import rearrange
from torch import Tensor

from pixelcnn.errors import ConfigError
from pixelcnn.inference.completions import Completions, numbers, ranked
from pixelcnn.inference.masks import is_prefix
from pixelcnn.inference.mcmc.conditional import MAX_RHAT, start_chains
from pixelcnn.inference.mcmc.diagnostics import MIN_DRAWS, diagnose
from pixelcnn.inference.mcmc.gibbs import Kernel, Scan
from pixelcnn.inference.query import Query
from pixelcnn.inference.smc.completions import smc_draws

Start: TypeAlias = Literal["raster", "smc"]

STARTS: tuple[Start, ...] = ("raster", "smc")


def gibbs_completions(
    question: Query,
    num_completions: int,
    *,
    num_sweeps: int = 20,
    start: Start = "smc",
    num_particles: int = 32,
    scan: Scan = "systematic",
    kernel: Kernel | None = None,
    on_sweep: Callable[[Tensor], object] | None = None,
) -> Completions:
    """Completes images by chains of their own for each completion.

    Each is taken as it is after some sweeps. Where everything known comes before everything
    unknown, chains begin at draws from the posterior, and every sweep leaves them such.

    Args:
        question: About any number of images.
        num_completions: M, of each.
        num_sweeps: Sweeps of each chain, at least 8.
        start: Where the chains begin: at what `raster` draws, or at completions by `smc`, which
            are nearer to the posterior.
        num_particles: Images of a population of the latter.
        scan: As `GibbsChains` takes it.
        kernel: As `GibbsChains` takes it.
        on_sweep: Shown the images at the beginning and after each sweep, such as for
            `pixelcnn.plots.frame_strip`. (B, M, C, H, W).

    Returns:
        Completions. For each image, `r_hat` of the log-probability in the later half of the
        sweeps.

    Raises:
        ConfigError: If an option is out of range.
    """
    if num_sweeps < 2 * MIN_DRAWS:
        raise ConfigError(f"`num_sweeps` must be at least {2 * MIN_DRAWS}, got {num_sweeps}.")
    if start not in STARTS:
        raise ConfigError(f"`start` must be one of {', '.join(STARTS)}, got {start!r}.")
    blind = ~is_prefix(question.known.cpu())
    x = None
    if start == "smc" and blind.any():
        x = smc_draws(question, num_completions, num_particles)
    chains = start_chains(question, num_completions, x=x, scan=scan, kernel=kernel)
    nats = []
    for done in range(num_sweeps + 1):
        if done:
            for _ in chains.sweep():
                pass
            question.report(done, num_sweeps)
        nats.append(chains.log_prob().double().cpu())
        if on_sweep is not None:
            on_sweep(rearrange(chains.x, "(b m) c h w -> b m c h w", m=num_completions).clone())
    later = torch.stack(nats[num_sweeps // 2 + 1 :], 1)
    rhat = torch.tensor([diagnose(each).rhat for each in later.split(num_completions)])
    return ranked(
        question,
        rearrange(chains.x, "(b m) c h w -> b m c h w", m=num_completions),
        method="gibbs",
        diagnostics={"r_hat": rhat},
        warnings=_doubts(rhat, blind) if num_completions > 1 else _lonely(blind),
    )


def _doubts(rhat: Tensor, blind: Tensor) -> tuple[str, ...]:
    # A factor above the limit for estimates: what counts here is the ends of the chains alone.
    apart = blind & ~(rhat - 1 <= 4 * (MAX_RHAT - 1))
    if not apart.any():
        return ()
    return (
        f"The chains still disagree about how probable the image is ({numbers(apart)}; R-hat up "
        f"to {float(rhat[apart].max()):.2f}): these completions may be far from the posterior. "
        f"Raise `num_sweeps`, or use 'smc'.",
    )


def _lonely(blind: Tensor) -> tuple[str, ...]:
    if not blind.any():
        return ()
    return (
        f"One chain cannot tell whether it has reached the posterior ({numbers(blind)}): ask for "
        f"at least two completions.",
    )
