"""Completions given all that is known: populations of particles as Metropolis proposals."""

from dataclasses import dataclass

import torch
from torch import Tensor

from pixelcnn.errors import ConfigError
from pixelcnn.inference.completions import Completions, numbers, ranked
from pixelcnn.inference.estimates import effective
from pixelcnn.inference.particles import Particles
from pixelcnn.inference.question import Question
from pixelcnn.inference.smc import check_populations
from pixelcnn.walk import image_noise

CHOICES = 2**63
"""Numbers of noise from here on choose among images; those below draw them."""

MIN_SHARE = 0.1
"""Share of proposals taken, and of populations that count, below which draws are not trusted."""


def smc_completions(
    question: Question,
    num_completions: int,
    *,
    num_particles: int = 32,
    num_moves: int = 2,
    resample_below: float = 0.5,
) -> Completions:
    """Draws completions by sequential Monte Carlo, with Metropolis moves on top.

    Each completion is one image of a population of its own, taken by its weight. From few
    particles such an image is biased towards what the model draws without knowing what comes
    later. So each completion is a chain: a fresh population, with its image and its estimate Z of
    the probability of what is known, replaces the old one with probability min(1, Z new / Z old).
    The exact posterior is the law that these moves leave as it is, whatever the number of
    particles; more particles make them be taken more often, more moves forget the beginning.

    Args:
        question: About any number of images.
        num_completions: M, of each.
        num_particles: Images of a population.
        num_moves: Moves of each chain; 0 for the first image of plain sequential Monte Carlo.
        resample_below: As in `smc`.

    Returns:
        Completions, with figures of each image: `log_evidence` (nats), `ess` (populations that
        count, of all that were drawn) and, with moves, `acceptance` (share of them taken).

    Raises:
        ConfigError: If an option is out of range.

    References:
        Particle Markov Chain Monte Carlo Methods (Andrieu et al., 2010), section 2.4.2: the
        particle independent Metropolis–Hastings sampler.
    """
    check_populations(2, num_particles, resample_below)
    if num_moves < 0:
        raise ConfigError(f"`num_moves` must be at least 0, got {num_moves}.")
    proposals = Proposals(question, num_completions, num_particles, resample_below)
    total = 1 + num_moves
    x, evidence = proposals.draw(0, total)
    taken, tried = [], [evidence]
    for move in range(1, total):
        other, other_evidence = proposals.draw(move, total)
        uniform = proposals.choices(move)[:, 1]
        accept = uniform.log() < other_evidence - evidence
        x = torch.where(accept[:, None, None, None], other, x)
        evidence = torch.where(accept, other_evidence, evidence)
        taken.append(accept)
        tried.append(other_evidence)
    by_image = torch.cat([each.view(-1, num_completions) for each in tried], 1)
    diagnostics = {
        "log_evidence": by_image.logsumexp(1) - torch.tensor(by_image.shape[1]).double().log(),
        "ess": effective(by_image),
    }
    if taken:
        shares = torch.stack(taken).double().mean(0)
        diagnostics["acceptance"] = shares.view(-1, num_completions).mean(1)
    return ranked(
        question,
        x.unflatten(0, (-1, num_completions)),
        method="smc",
        diagnostics=diagnostics,
        warnings=_doubts(diagnostics, by_image.shape[1]),
    )


@dataclass(frozen=True)
class Proposals:
    """Draws one image of a fresh population for each completion, round by round."""

    question: Question
    num_completions: int
    num_particles: int
    resample_below: float

    def draw(self, round_: int, num_rounds: int) -> tuple[Tensor, Tensor]:
        """Images (B × M, C, H, W), and the log-evidence of their populations (B × M,)."""
        question, size = self.question, self.num_particles
        given, known, cond = question.repeated(self.num_completions)
        uniform = self.choices(round_)[:, 0]
        step = max(1, question.batch_size // size)
        images, evidence = [], []
        for first in range(0, len(given), step):
            part = slice(first, first + step)
            count = len(given[part])
            begin = (round_ * len(given) + first) * size
            particles = Particles(
                given[part].repeat_interleave(size, 0),
                known[part].repeat_interleave(size, 0),
                image_noise(question.seed, begin, count * size, *given.shape[1:]),
                population=size,
                resample_below=self.resample_below,
            )
            particles.walk(
                question.model, None if cond is None else cond[part].repeat_interleave(size, 0)
            )
            images.append(_picked(particles, uniform[part]))
            evidence.append(particles.log_evidence.cpu())
            question.report(round_ * len(given) + first + count, num_rounds * len(given))
        return torch.cat(images), torch.cat(evidence)

    def choices(self, round_: int) -> Tensor:
        """Two uniform numbers for each completion: which image, and whether to take it."""
        count = len(self.question.given) * self.num_completions
        noise = image_noise(self.question.seed, CHOICES + round_ * count, count, 1, 1, 2)
        return noise.flatten(1)


def _picked(particles: Particles, uniform: Tensor) -> Tensor:
    """One image of each population, by its weight. (N / S, C, H, W), on the CPU."""
    log_weights = particles.by_population(particles.log_weights).cpu()
    cumulative = log_weights.softmax(1).cumsum(1)
    below = uniform.clamp(max=1 - torch.finfo(uniform.dtype).eps) * cumulative[:, -1]
    place = torch.searchsorted(cumulative, below[:, None], right=True)[:, 0]
    return particles.by_population(particles.x.cpu())[torch.arange(len(place)), place]


def _doubts(diagnostics: dict[str, Tensor], num_populations: int) -> tuple[str, ...]:
    bad = diagnostics["ess"] < MIN_SHARE * num_populations
    if "acceptance" in diagnostics:
        bad = bad | (diagnostics["acceptance"] < MIN_SHARE)
    if not bad.any():
        return ()
    return (
        f"The populations disagree about the probability of what is known ({numbers(bad)}): these "
        f"completions may be far from the posterior. Use more `num_particles` or `num_moves`, or "
        f"'gibbs'.",
    )
