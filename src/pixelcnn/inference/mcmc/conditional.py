"""Chains that begin at draws from the model, and what they say of one sub-pixel."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from pixelcnn.errors import ConfigError
from pixelcnn.inference.estimates import MIN_EFFECTIVE, LevelEstimate, certain
from pixelcnn.inference.mcmc.diagnostics import MIN_DRAWS, ChainDiagnostics, average, diagnose
from pixelcnn.inference.mcmc.gibbs import GibbsChains, Kernel, Scan, check_scan
from pixelcnn.inference.query import Query, check_nats
from pixelcnn.inference.smc.particles import Particles
from pixelcnn.order import Site
from pixelcnn.walk import image_noise

MAX_RHAT = 1.05
"""Above it chains are not trusted: each half of a chain then holds fewer than about ten effective
draws."""


def gibbs(
    question: Query,
    site: Site,
    *,
    num_chains: int = 16,
    num_sweeps: int = 100,
    num_burn_in: int | None = None,
    scan: Scan = "systematic",
    kernel: Kernel | None = None,
) -> LevelEstimate:
    """The conditional distribution of a sub-pixel, averaged along Markov chains.

    After every sweep the sub-pixel is redrawn from its full conditional, and these distributions
    are averaged, not the levels drawn, which has less variance.

    Args:
        question: About one image.
        site: An unknown sub-pixel.
        num_chains: Chains, each from a draw of its own that knows only what comes earlier.
        num_sweeps: Sweeps of each chain that are averaged over.
        num_burn_in: Sweeps before these, to forget the beginning; None for half as many.
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
    chains = start_chains(question, num_chains, scan=scan, kernel=kernel)
    if sum(map(len, chains.blocks)) == 1:
        # All else is known: the full conditional is the answer.
        return replace(certain(chains.redraw(site)[0]), method="gibbs")
    shares: list[Tensor] = []
    nats: list[Tensor] = []
    moved = []
    for done in range(num_burn_in + num_sweeps):
        moved += [float((move.levels[0] != move.taken).float().mean()) for move in chains.sweep()]
        probabilities = chains.redraw(site)
        if done >= num_burn_in:
            shares.append(probabilities.cpu())
            nats.append(chains.log_prob().double().cpu())
        question.report(done + 1, num_burn_in + num_sweeps)
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
        warnings=_doubts(found.diagnostics, num_chains * num_sweeps),
    )


def start_chains(
    question: Query,
    num_chains: int,
    *,
    x: Tensor | None = None,
    scan: Scan = "systematic",
    kernel: Kernel | None = None,
) -> GibbsChains:
    """Chains for each image of a question.

    Args:
        question: About one image or several.
        num_chains: N, chains of each of the B images; those of the first image come first.
        x: Where they begin; None for where a walk in raster order draws them. It knows the earlier
            part of what is known and not the later, so the chains begin further apart than the
            posterior is wide, as R-hat wants it. (B × N, C, H, W).
        scan: As `GibbsChains` takes it.
        kernel: As `GibbsChains` takes it.
    """
    _, known, cond = question.repeated(num_chains)
    x = _raster_draws(question, num_chains) if x is None else x
    chains = GibbsChains(
        question.model,
        x,
        known,
        cond=cond,
        seed=question.seed,
        scan=scan,
        kernel=kernel,
        batch_size=question.batch_size,
    )
    check_nats(chains.log_prob())
    return chains


def _raster_draws(question: Query, count: int) -> Tensor:
    """What a walk in raster order draws, so many times for each image. (B × count, C, H, W)."""
    given, known, cond = question.repeated(count)
    x = torch.empty_like(given)
    for first in range(0, len(given), question.batch_size):
        part = slice(first, first + question.batch_size)
        noise = image_noise(question.seed, first, len(x[part]), *x.shape[1:])
        alone = Particles(given[part], known[part], noise, population=1)
        alone.walk(question.model, None if cond is None else cond[part])
        x[part] = alone.x
    return x


def _doubts(found: ChainDiagnostics, num_draws: int) -> tuple[str, ...]:
    doubts = []
    if not found.rhat <= MAX_RHAT:
        doubts.append(
            f"The chains disagree: R-hat is {found.rhat:.3f}, and above {MAX_RHAT} they have not "
            f"reached the posterior. Raise `num_sweeps`, or use another method (`smc`)."
        )
    if not found.ess >= MIN_EFFECTIVE:
        doubts.append(
            f"The effective sample size is {found.ess:.1f} of {num_draws} draws (autocorrelation "
            f"time {found.autocorrelation_time:.1f} sweeps): the standard error may be far too "
            f"small. Raise `num_sweeps` or `num_chains`."
        )
    return tuple(doubts)


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
    if num_sweeps < MIN_DRAWS:
        raise ConfigError(f"`num_sweeps` must be at least {MIN_DRAWS}, got {num_sweeps}.")
    if num_burn_in is not None and num_burn_in < 0:
        raise ConfigError(f"`num_burn_in` must be at least 0, got {num_burn_in}.")
