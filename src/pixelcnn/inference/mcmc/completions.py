"""Completions by Markov chains, given all that is known."""

from collections.abc import Callable
from typing import Literal, TypeAlias, get_args

import torch
from einops import rearrange
from torch import Tensor

from pixelcnn.arguments import check_choice, whole_number
from pixelcnn.inference.completions import Completions, image_numbers, rank_completions
from pixelcnn.inference.masks import is_prefix
from pixelcnn.inference.mcmc.conditional import MAX_RHAT, MIN_CHAINS, few_chains, start_chains
from pixelcnn.inference.mcmc.diagnostics import MIN_DRAWS, diagnose
from pixelcnn.inference.mcmc.gibbs import Kernel, Scan
from pixelcnn.inference.query import Query
from pixelcnn.inference.smc.completions import smc_samples

Start: TypeAlias = Literal["raster", "smc"]


def gibbs_completions(
    query: Query,
    num_completions: int,
    *,
    num_sweeps: int = 20,
    start: Start = "smc",
    num_particles: int = 32,
    scan: Scan = "systematic",
    kernel: Kernel | None = None,
    on_sweep: Callable[[Tensor], object] | None = None,
) -> Completions:
    """Completes images by Markov chains, one for each completion.

    The completion is the last state of its chain. Where everything known comes before everything
    unknown, the chains begin at samples from the posterior and stay there.

    Args:
        query: Of any number of images.
        num_completions: M, of each.
        num_sweeps: Sweeps of each chain, at least 8.
        start: Where the chains begin: at completions by `raster`, or by `smc`, which are nearer to
            the posterior.
        num_particles: Images of a population of `smc`.
        scan: As `GibbsChains` takes it.
        kernel: As `GibbsChains` takes it.
        on_sweep: Called with the images at the beginning and after each sweep, such as for
            `pixelcnn.plots.frame_strip`. (B, M, C, H, W).

    Returns:
        Completions. For each image, `r_hat` of the log-probability in the later half of the
        sweeps.

    Raises:
        ConfigError: If an option is out of range.
    """
    whole_number("num_sweeps", num_sweeps, at_least=2 * MIN_DRAWS)
    check_choice("start", start, get_args(Start))
    blind = ~is_prefix(query.known.cpu())
    x = None
    if start == "smc" and blind.any():
        x = smc_samples(query, num_completions, num_particles)
    chains = start_chains(query, num_completions, x=x, scan=scan, kernel=kernel)
    nats = []
    for done in range(num_sweeps + 1):
        if done:
            for _ in chains.sweep():
                pass
            query.report(done, num_sweeps)
        nats.append(chains.log_prob().double().cpu())
        if on_sweep is not None:
            on_sweep(rearrange(chains.x, "(b m) c h w -> b m c h w", m=num_completions).clone())
    later = torch.stack(nats[num_sweeps // 2 + 1 :], 1)
    rhat = torch.tensor([diagnose(each).rhat for each in later.split(num_completions)])
    return rank_completions(
        query,
        rearrange(chains.x, "(b m) c h w -> b m c h w", m=num_completions),
        method="gibbs",
        diagnostics={"r_hat": rhat},
        warnings=_reliability_warnings(rhat, blind, num_completions),
    )


def _reliability_warnings(rhat: Tensor, blind: Tensor, num_chains: int) -> tuple[str, ...]:
    if not blind.any():
        return ()
    warnings = []
    if num_chains < MIN_CHAINS:
        warnings.append(f"{few_chains(num_chains)[:-1]} completions ({image_numbers(blind)}).")
    # A factor above the limit for estimates: only the ends of the chains count here.
    apart = blind & ~(rhat - 1 <= 4 * (MAX_RHAT - 1))
    if num_chains > 1 and apart.any():
        warnings.append(
            f"Unreliable: R-hat of the image's log-probability is {float(rhat[apart].max()):.2f} "
            f"({image_numbers(apart)}). The chains have not reached the posterior. Raise "
            f"`num_sweeps`, or use 'smc'."
        )
    return tuple(warnings)
