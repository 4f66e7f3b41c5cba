"""Completions given all that is known, from weighed populations of particles."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pixelcnn.inference.completions import Completions, numbers, ranked
from pixelcnn.inference.estimates import MIN_POPULATIONS, effective, log_evidence
from pixelcnn.inference.query import Query
from pixelcnn.inference.smc.conditional import check_populations
from pixelcnn.inference.smc.particles import Particles, systematic
from pixelcnn.walk import image_noise

CHOICES = 2**63
"""Numbers of noise from here on choose among images; those below draw them."""

LEAST_POPULATIONS = 40
POPULATIONS_EACH = 3
EVEN = 0.999
ROUNDING = 1e-6  # far above that of a share of all weights


def smc_completions(
    question: Query,
    num_completions: int,
    *,
    num_populations: int | None = None,
    num_particles: int = 32,
    resample_below: float = 0.5,
) -> Completions:
    """Draws completions by sequential Monte Carlo.

    Independent populations of particles are drawn for each image, and weighed by their estimates
    of the probability of what is known. Completions are drawn from all their particles, as evenly
    as the weights allow. From few populations they are biased towards what the model draws without
    knowing what comes later, and alike; `ess` says how many populations count.

    Args:
        question: About any number of images.
        num_completions: M, of each.
        num_populations: For each image; None for three for each completion, and at least 40.
        num_particles: Images of a population.
        resample_below: As in `smc`.

    Returns:
        Completions, with figures of each image: `log_evidence` (nats), `ess` (populations that
        count) and `distinct` (different images among the completions).

    Raises:
        ConfigError: If an option is out of range.

    References:
        On the Role of Interaction in Sequential Monte Carlo Algorithms (Whiteley et al., 2016),
        for the weights of populations.
    """
    pool = Pool(question, num_completions, num_populations, num_particles, resample_below)
    x, evidence = pool.draw()
    distinct = [len(images.flatten(1).unique(dim=0)) for images in x]
    ess = effective(evidence)
    return ranked(
        question,
        x,
        method="smc",
        diagnostics={
            "log_evidence": torch.tensor([log_evidence(each) for each in evidence]).double(),
            "ess": ess,
            "distinct": torch.tensor(distinct).double(),
        },
        warnings=_doubts(ess, pool.num_populations),
    )


@dataclass(frozen=True)
class Pool:
    """Completions drawn from the particles of many populations, which are walked in turn.

    Attributes:
        question: About B images.
        num_completions: M.
        wanted: R, populations for each image; None for as many as `smc_completions` takes.
        num_particles: S, images of a population.
        resample_below: As in `smc`.
    """

    question: Query
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

    def draw(self) -> tuple[Tensor, Tensor]:
        """Completions (B, M, C, H, W) and log-evidence of the populations (B, R), on the CPU."""
        drawn = [self._draw_one(number) for number in range(len(self.question.given))]
        images, evidence = zip(*drawn, strict=True)
        return torch.stack(images), torch.stack(evidence)

    def _draw_one(self, number: int) -> tuple[Tensor, Tensor]:
        """Of one image: (M, C, H, W) and (R,)."""
        count, wanted = self.num_populations, self.num_completions
        noise = image_noise(self.question.seed, CHOICES + number * count, count, 1, 1, wanted + 3)
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
            self.question.report(number * count + len(evidence), len(self.question.given) * count)
        log_weights = torch.stack(evidence)
        (populations,) = systematic(log_weights[None], noise[0, 0, 0, 1:2], wanted)
        times = populations.bincount(minlength=count).tolist()
        taken = [each[:n] for each, n in zip(picks, times, strict=True)]
        return torch.cat(taken), log_weights

    def _walks(self, number: int) -> Iterator[Particles]:
        """The populations of one image, as many at once as the batch size allows."""
        question, size = self.question, self.num_particles
        own = slice(number, number + 1)
        at_once = max(1, question.batch_size // size)
        for first in range(0, self.num_populations, at_once):
            images = min(at_once, self.num_populations - first) * size
            begin = (number * self.num_populations + first) * size
            particles = Particles(
                question.given[own].expand(images, -1, -1, -1),
                question.known[own].expand(images, -1, -1, -1),
                image_noise(question.seed, begin, images, *question.given.shape[1:]),
                population=size,
                resample_below=self.resample_below,
            )
            cond = question.cond
            particles.walk(
                question.model, None if cond is None else cond[own].repeat_interleave(images, 0)
            )
            yield particles


def smc_draws(question: Query, num_completions: int, num_particles: int) -> Tensor:
    """Completions of `smc_completions`, where something else begins. (B × M, C, H, W)."""
    pool = Pool(replace(question, progress=None), num_completions, None, num_particles, 0.5)
    return pool.draw()[0].flatten(0, 1)


def _doubts(ess: Tensor, num_populations: int) -> tuple[str, ...]:
    # Even weights say that nothing known comes later: then each particle is a right one.
    bad = (ess < MIN_POPULATIONS) & (ess < EVEN * num_populations)
    if not bad.any():
        return ()
    return (
        f"Of {num_populations} populations only {float(ess.min()):.1f} count, because they "
        f"disagree about the probability of what is known ({numbers(bad)}): these completions may "
        f"be far from the posterior, and alike. Use more `num_populations` or `num_particles`, or "
        f"'gibbs'.",
    )
