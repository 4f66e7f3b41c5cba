"""The conditional distribution of one sub-pixel by Markov chains."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from pixelcnn.arguments import whole_number
from pixelcnn.errors import ConfigError
from pixelcnn.inference.estimates import MIN_ESS, LevelEstimate, exact_estimate
from pixelcnn.inference.mcmc.diagnostics import MIN_DRAWS, ChainDiagnostics, average, diagnose
from pixelcnn.inference.mcmc.gibbs import GibbsChains, Kernel, Scan, check_scan
from pixelcnn.inference.query import Query, check_nats
from pixelcnn.inference.smc.particles import sample_unknown
from pixelcnn.order import Site

MAX_RHAT = 1.05
"""Above it chains are unreliable: each half of a chain then holds fewer than about ten effective
draws."""

MIN_CHAINS = 4
"""Fewer chains may agree by chance (Vehtari et al., 2021, section 4)."""


def gibbs(
    query: Query,
    site: Site,
    *,
    num_chains: int = 16,
    num_sweeps: int = 100,
    num_burn_in: int | None = None,
    scan: Scan = "systematic",
    kernel: Kernel | None = None,
) -> LevelEstimate:
    """The conditional distribution of a sub-pixel, averaged along Markov chains.

    After every sweep the sub-pixel is updated from its full conditional. These distributions are
    averaged, which has less variance than averaging the sampled levels.

    Args:
        query: Of one image.
        site: An unknown sub-pixel.
        num_chains: Chains, at least 4 for a reliable estimate. Each begins at its own sample,
            which is conditioned on the earlier known sub-pixels only.
        num_sweeps: Sweeps of each chain that are averaged over.
        num_burn_in: Sweeps before these, which are discarded; None for half as many.
        scan: As `GibbsChains` takes it.
        kernel: As `GibbsChains` takes it.

    Returns:
        Probabilities, with standard errors from the means of the chains. Diagnostics are the worst
        over all levels that are not rare: `r_hat` and `autocorrelation_time` (in sweeps); those of
        the log-probability of the image, `image_r_hat` and `image_ess`; and `moved`, the share of
        steps that changed their sub-pixel.

    Raises:
        ConfigError: If an option is out of range.
    """
    check_chains(num_chains, num_sweeps, num_burn_in, scan, kernel)
    num_burn_in = -(-num_sweeps // 2) if num_burn_in is None else num_burn_in
    chains = start_chains(query, num_chains, scan=scan, kernel=kernel)
    if sum(map(len, chains.blocks)) == 1:
        # All else is known: the full conditional is exact.
        return replace(exact_estimate(chains.update(site)[0]), method="gibbs")
    shares: list[Tensor] = []
    nats: list[Tensor] = []
    moved = []
    for done in range(num_burn_in + num_sweeps):
        moved += [float((move.levels[0] != move.taken).float().mean()) for move in chains.sweep()]
        probabilities = chains.update(site)
        if done >= num_burn_in:
            shares.append(probabilities.cpu())
            nats.append(chains.log_prob().double().cpu())
        query.report(done + 1, num_burn_in + num_sweeps)
    found = average(torch.stack(shares, 1))
    image = diagnose(torch.stack(nats, 1))
    return LevelEstimate(
        probabilities=torch.from_numpy(found.mean),
        stderr=torch.from_numpy(found.stderr),
        method="gibbs",
        num_draws=num_chains * num_sweeps,
        ess=found.diagnostics.ess,
        degrees=float(found.degrees),
        diagnostics={
            "r_hat": found.diagnostics.rhat,
            "autocorrelation_time": found.diagnostics.autocorrelation_time,
            "image_r_hat": image.rhat,
            "image_ess": image.ess,
            "moved": float(np.mean(moved)),
        },
        warnings=_reliability_warnings(found.diagnostics, num_chains, num_chains * num_sweeps),
    )


def start_chains(
    query: Query,
    num_chains: int,
    *,
    x: Tensor | None = None,
    scan: Scan = "systematic",
    kernel: Kernel | None = None,
) -> GibbsChains:
    """Chains for each image of a query.

    Args:
        query: Of one image or several.
        num_chains: N, chains of each of the B images; those of the first image come first.
        x: Where they begin; None for samples in raster order. These are conditioned on the earlier
            known sub-pixels and not on the later ones, so the chains begin further apart than the
            posterior is wide, as R-hat requires. (B × N, C, H, W).
        scan: As `GibbsChains` takes it.
        kernel: As `GibbsChains` takes it.
    """
    _, known, cond = query.repeated(num_chains)
    x = sample_unknown(replace(query, progress=None), num_chains)[0] if x is None else x
    chains = GibbsChains(
        query.model,
        x,
        known,
        cond=cond,
        seed=query.seed,
        scan=scan,
        kernel=kernel,
        batch_size=query.batch_size,
    )
    check_nats(chains.log_prob())
    return chains


def _reliability_warnings(
    found: ChainDiagnostics, num_chains: int, num_draws: int
) -> tuple[str, ...]:
    warnings = []
    if num_chains < MIN_CHAINS:
        warnings.append(few_chains(num_chains))
    if not found.rhat <= MAX_RHAT:
        warnings.append(
            f"Unreliable: R-hat {found.rhat:.3f}. Above {MAX_RHAT} the chains have not reached "
            f"the posterior. Raise `num_sweeps`, or use 'smc'."
        )
    if not found.ess >= MIN_ESS:
        warnings.append(
            f"Unreliable: ESS {found.ess:.1f} of {num_draws} draws (autocorrelation time "
            f"{found.autocorrelation_time:.1f} sweeps). The standard error may be far too small. "
            f"Raise `num_sweeps` or `num_chains`."
        )
    return tuple(warnings)


def few_chains(num_chains: int) -> str:
    """The warning that R-hat of so few chains shows little."""
    return (
        f"Unreliable: {num_chains} chain{'s are' if num_chains > 1 else ' is'} too few to know "
        f"whether the posterior is reached. Use at least {MIN_CHAINS}."
    )


def check_chains(
    num_chains: int, num_sweeps: int, num_burn_in: int | None, scan: str, kernel: str | None
) -> None:
    """Raises `ConfigError` unless `gibbs` takes these."""
    check_scan(scan, kernel)
    if num_chains < 2:
        raise ConfigError(
            f"`num_chains` must be at least 2, got {num_chains}: one chain cannot tell whether "
            f"it has converged."
        )
    whole_number("num_sweeps", num_sweeps, at_least=MIN_DRAWS)
    if num_burn_in is not None:
        whole_number("num_burn_in", num_burn_in, at_least=0)
