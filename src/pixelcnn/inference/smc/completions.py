"""Completions by sequential Monte Carlo, given all that is known."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pixelcnn.inference.completions import Completions, image_numbers, rank_completions
from pixelcnn.inference.estimates import MIN_POPULATIONS, effective_sample_size, log_evidence
from pixelcnn.inference.masks import is_prefix
from pixelcnn.inference.query import Query
from pixelcnn.inference.smc.conditional import check_populations
from pixelcnn.inference.smc.particles import Particles
from pixelcnn.inference.smc.resampling import systematic
from pixelcnn.walk import image_noise

CHOICES = 2**63
"""Noise from this number on chooses among images; noise below samples them."""

LEAST_POPULATIONS = 40
POPULATIONS_EACH = 3
EVEN = 0.999
ROUNDING = 1e-6  # far above that of a share of all weights


def smc_completions(
    query: Query,
    num_completions: int,
    *,
    num_populations: int | None = None,
    num_particles: int = 32,
    resample_below: float = 0.5,
) -> Completions:
    """Completes images by sequential Monte Carlo.

    Independent populations of particles are sampled for each image and weighted by their estimates
    of the probability of what is known. Completions are resampled from all their particles, as
    evenly as the weights allow. With few populations they are alike, and biased towards samples
    that ignore what is known later; `ess` is the effective number of populations.

    Args:
        query: Of any number of images.
        num_completions: M, of each.
        num_populations: For each image; None for three for each completion, and at least 40.
        num_particles: Images of a population.
        resample_below: As in `smc`.

    Returns:
        Completions, with values of each image: `log_evidence` (nats), `ess` (effective
        populations) and `distinct` (different images among the completions).

    Raises:
        ConfigError: If an option is out of range.

    References:
        On the Role of Interaction in Sequential Monte Carlo Algorithms (Whiteley et al., 2016),
        for the weights of populations.
    """
    pool = Pool(query, num_completions, num_populations, num_particles, resample_below)
    x, evidence = pool.sample()
    distinct = [len(images.flatten(1).unique(dim=0)) for images in x]
    ess = effective_sample_size(evidence)
    return rank_completions(
        query,
        x,
        method="smc",
        diagnostics={
            "log_evidence": torch.tensor([log_evidence(each) for each in evidence]).double(),
            "ess": ess,
            "distinct": torch.tensor(distinct).double(),
        },
        warnings=_reliability_warnings(ess, ~is_prefix(query.known.cpu()), pool.num_populations),
    )


@dataclass(frozen=True)
class Pool:
    """Completions resampled from the particles of many populations, which are walked in turn.

    Attributes:
        query: Of B images.
        num_completions: M.
        wanted: R, populations for each image; None for as many as `smc_completions` takes.
        num_particles: S, images of a population.
        resample_below: As in `smc`.
    """

    query: Query
    num_completions: int
    wanted: int | None
    num_particles: int
    resample_below: float

    def __post_init__(self) -> None:
        check_populations(self.num_populations, self.num_particles, self.resample_below)

    @property
    def num_populations(self) -> int:
        """R."""
        if self.wanted is not None:
            return self.wanted
        return max(LEAST_POPULATIONS, POPULATIONS_EACH * self.num_completions)

    def sample(self) -> tuple[Tensor, Tensor]:
        """Completions (B, M, C, H, W) and log-evidence of the populations (B, R), on the CPU."""
        samples = [self._sample_one(number) for number in range(len(self.query.given))]
        images, evidence = zip(*samples, strict=True)
        return torch.stack(images), torch.stack(evidence)

    def _sample_one(self, number: int) -> tuple[Tensor, Tensor]:
        """Of one image: (M, C, H, W) and (R,)."""
        count, wanted = self.num_populations, self.num_completions
        noise = image_noise(self.query.seed, CHOICES + number * count, count, 1, 1, wanted + 3)
        evidence: list[Tensor] = []
        picks: list[Tensor] = []
        total = torch.tensor(float("-inf"), dtype=torch.float64)
        for particles in self._walks(number):
            images = particles.by_population(particles.x.cpu())
            log_weights = particles.by_population(particles.log_weights).cpu()
            for population, fresh in enumerate(particles.log_evidence.cpu()):
                own = noise[len(evidence), 0, 0]
                total = total.logaddexp(fresh)
                # Its share falls with every further population, so no more will ever be taken.
                most = int(wanted * (fresh - total).exp() + ROUNDING) + 1
                (chosen,) = systematic(log_weights[[population]], own[:1], most)
                picks.append(images[population, chosen[own[2 : 2 + most].argsort()]])
                evidence.append(fresh)
            self.query.report(number * count + len(evidence), len(self.query.given) * count)
        log_weights = torch.stack(evidence)
        (populations,) = systematic(log_weights[None], noise[0, 0, 0, 1:2], wanted)
        times = populations.bincount(minlength=count).tolist()
        taken = [each[:n] for each, n in zip(picks, times, strict=True)]
        return torch.cat(taken), log_weights

    def _walks(self, number: int) -> Iterator[Particles]:
        """The populations of one image, as many at once as the batch size allows."""
        query, size = self.query, self.num_particles
        own = slice(number, number + 1)
        at_once = max(1, query.batch_size // size)
        for first in range(0, self.num_populations, at_once):
            images = min(at_once, self.num_populations - first) * size
            begin = (number * self.num_populations + first) * size
            particles = Particles(
                query.given[own].expand(images, -1, -1, -1),
                query.known[own].expand(images, -1, -1, -1),
                image_noise(query.seed, begin, images, *query.given.shape[1:]),
                population=size,
                resample_below=self.resample_below,
            )
            cond = query.cond
            particles.walk(
                query.model, None if cond is None else cond[own].repeat_interleave(images, 0)
            )
            yield particles


def smc_samples(query: Query, num_completions: int, num_particles: int) -> Tensor:
    """Completions of `smc_completions` to start chains from. (B × M, C, H, W)."""
    pool = Pool(replace(query, progress=None), num_completions, None, num_particles, 0.5)
    return pool.sample()[0].flatten(0, 1)


def _reliability_warnings(ess: Tensor, blind: Tensor, num_populations: int) -> tuple[str, ...]:
    # Where nothing known comes later all weights are even and each particle is a right sample.
    if num_populations < MIN_POPULATIONS and blind.any():
        return (
            f"Unreliable: {num_populations} population{'s are' if num_populations > 1 else ' is'} "
            f"too few to know whether they agree ({image_numbers(blind)}). Use at least "
            f"{MIN_POPULATIONS} `num_populations`.",
        )
    bad = blind & (ess < MIN_POPULATIONS) & (ess < EVEN * num_populations)
    if not bad.any():
        return ()
    return (
        f"Unreliable: ESS {float(ess[bad].min()):.1f} of {num_populations} populations, which "
        f"disagree about the probability of what is known ({image_numbers(bad)}). The completions "
        f"may be far from the posterior, and alike. Use more `num_populations` or "
        f"`num_particles`, or 'gibbs'.",
    )
