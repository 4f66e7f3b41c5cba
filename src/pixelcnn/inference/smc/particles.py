"""Particles: images sampled in order where unknown, and weighted where known."""

import torch
from torch import Tensor

from pixelcnn.inference.estimates import effective_sample_size
from pixelcnn.inference.query import Query, check_nats, evaluating
from pixelcnn.inference.smc.parts import Parts, alike
from pixelcnn.inference.smc.resampling import in_place, log_mean, systematic
from pixelcnn.models import AutoregressiveModel
from pixelcnn.order import Front, Site
from pixelcnn.walk import (
    CachedStepper,
    Chooser,
    image_noise,
    sample_levels,
    scoring_chooser,
    visit,
)


class Particles:
    """Images of one walk, in consecutive populations of equal size.

    An unknown sub-pixel is sampled from the model given those before it. At a known one the weight
    of each image is multiplied by the probability of its level, so the mean weight of a population
    is an unbiased estimate of the probability of the known sub-pixels. When the weights of a
    population have become uneven, its images are resampled: copies of heavy images replace light
    ones, and all get the mean weight.

    Args:
        given: Levels where known. (N, C, H, W).
        known: True where known; the same for all images of a population. (N, C, H, W), bool.
        noise: Uniform numbers in [0, 1), which decide all samples. (N, C, H, W), float64.
        population: S, images of a population; N is a multiple of it.
        resample_below: A population is resampled when its effective sample size is less than
            this share of S; 0 for never.
        site: Where to keep the model's distribution of the level.

    Attributes:
        x: The images. (N, C, H, W).
        log_weights: Nats. (N,), float64.
        shares: Probabilities of the levels at `site`, given what comes before it. (N, K).

    References:
        A Tutorial on Particle Filtering and Smoothing (Doucet & Johansen, 2009), section 3.5.
        Sequential Monte Carlo Samplers (Del Moral et al., 2006), for the estimate without bias.
    """

    def __init__(
        self,
        given: Tensor,
        known: Tensor,
        noise: Tensor,
        *,
        population: int,
        resample_below: float = 0.0,
        site: Site | None = None,
    ) -> None:
        # A Metal device has no doubles, so there levels are sampled and weighted on the CPU.
        self.device = torch.device("cpu") if given.device.type == "mps" else given.device
        self.x = given.clone()
        self.given = given.to(self.device)
        self.known = known.to(self.device)
        self.noise = noise.to(self.device)
        self.population = population
        self.resample_below = resample_below
        self.site = site
        self.log_weights = torch.zeros(len(given), dtype=torch.float64, device=self.device)
        self.shares = torch.empty(0)

    def walk(
        self, model: AutoregressiveModel, cond: Tensor | None, *, num_rows: int | None = None
    ) -> None:
        """Fills in the images.

        What is known before the first unknown sub-pixel is walked once for all images that are
        alike there. What is known after the last is scored in one pass over the images that differ,
        where that is faster than to walk on.

        Args:
            model: Any architecture.
            cond: As the model takes it, one entry per image.
            num_rows: Rows from the top to fill; None for all. Nothing is known below.
        """
        stepper = CachedStepper(model)
        with evaluating(model):
            parts = self._begin(stepper, cond, num_rows)
            visit(stepper, self.x, parts.sampled, self._chooser(stepper))
            images, number = alike(self.x, cond)
            if parts.pays_to_score(len(images) / len(number)):
                own = None if cond is None else cond[images]
                nats = model.site_log_prob(self.x[images], own, check=False)
                later = parts.later.to(self.device) & self.known
                sites = nats.to(self.device).double()[number.to(self.device)]
                self.log_weights += sites.where(later, 0).flatten(1).sum(1)
            else:
                visit(stepper, self.x, parts.known_after, self._chooser(stepper))
        check_nats(self.log_weights)
        check_nats(self.shares)

    def _begin(self, stepper: CachedStepper, cond: Tensor | None, num_rows: int | None) -> Parts:
        """Walks what is known at first: once for all images that are alike there."""
        images, number = alike(self.given.where(self.known, 0), self.known, cond)
        x = self.x[images]
        order = stepper.start(x, None if cond is None else cond[images])
        resamples = self.resample_below > 0 and self.population > 1
        parts = Parts.of(order, self.known, num_rows, resamples=resamples)
        dtype = self.log_weights.dtype if x.device == self.device else torch.float32
        nats = torch.zeros(x.shape, dtype=dtype, device=x.device)
        visit(stepper, x, parts.known_before, scoring_chooser(x, nats))
        stepper.reorder(number.to(x.device))
        before = nats.to(self.device).double().flatten(1).sum(1)
        self.log_weights += before[number.to(self.device)]
        return parts

    def _chooser(self, stepper: CachedStepper) -> Chooser:
        """Samples what is unknown, and weights by what is known."""

        def choose(logits: Tensor, front: Front) -> Tensor:
            logits = logits.to(self.device)
            self._keep_shares(logits, front)
            known = front.of(self.known)
            samples = sample_levels(logits, front.of(self.noise).flatten()).view(known.shape)
            levels = torch.where(known, front.of(self.given), samples)
            if self._weight(logits, levels, known):
                index = self._resampled(known, front)
                if index is not None:
                    self._reorder(index, stepper)
                    levels = levels[:, index]
            return levels.flatten()

        return choose

    @property
    def log_evidence(self) -> Tensor:
        """Estimated log-probability of what is known, by population. Nats. (N / S,)."""
        return log_mean(self.by_population(self.log_weights))

    def by_population(self, values: Tensor) -> Tensor:
        """(N, …) as (N / S, S, …)."""
        return values.unflatten(0, (-1, self.population))

    def _keep_shares(self, logits: Tensor, front: Front) -> None:
        if self.site is None or self.site not in front.sites():
            return
        by_row = logits.unflatten(0, (front.num_rows, -1))
        self.shares = by_row[self.site.row - front.row].softmax(1, dtype=torch.float64)

    def _weight(self, logits: Tensor, levels: Tensor, known: Tensor) -> bool:
        """Weights by what is known in a front (R, N), if anything is."""
        if not known.any():
            return False
        nats = logits.double().log_softmax(1).gather(1, levels.flatten()[:, None])
        self.log_weights += nats.view(known.shape).where(known, 0).sum(0)
        return True

    def _resampled(self, known: Tensor, front: Front) -> Tensor | None:
        """Which image each goes on as, (N,); None if all populations stay as they are."""
        log_weights = self.by_population(self.log_weights)
        is_known = known.unflatten(1, (-1, self.population))[:, :, 0]
        uneven = effective_sample_size(log_weights) < self.resample_below * self.population
        uneven = uneven & is_known.any(0)
        if not uneven.any():
            return None
        # A known sub-pixel needs no noise for its level: its noise decides the resampling.
        noise = front.of(self.noise).unflatten(1, (-1, self.population))[:, :, 0]
        uniform = noise.gather(0, is_known.int().argmax(0)[None])[0]
        stay = torch.arange(self.population, device=self.device)
        ancestors = torch.where(uneven[:, None], in_place(systematic(log_weights, uniform)), stay)
        mean = log_mean(log_weights)[:, None]
        self.log_weights = torch.where(uneven[:, None], mean, log_weights).flatten()
        first = torch.arange(len(uneven), device=self.device)[:, None] * self.population
        return (first + ancestors).flatten()

    def _reorder(self, index: Tensor, stepper: CachedStepper) -> None:
        """Images, what is kept of them, and the stepper's caches; weights are even already."""
        if len(self.shares):
            self.shares = self.shares[index]
        index = index.to(self.x.device)
        self.x[:] = self.x[index]
        stepper.reorder(index)


def sample_unknown(query: Query, count: int) -> tuple[Tensor, Tensor]:
    """Samples the unknown sub-pixels in raster order, given what is known before them.

    Args:
        query: Of B images.
        count: Samples of each image.

    Returns:
        Images (B × count, C, H, W), those of the first image first, and the log-weight of each by
        what is known after its unknown sub-pixels, in nats. (B × count,), float64.
    """
    given, known, cond = query.repeated(count)
    x, log_weights = [], []
    for first in range(0, len(given), query.batch_size):
        part = slice(first, first + query.batch_size)
        noise = image_noise(query.seed, first, len(given[part]), *given.shape[1:])
        particles = Particles(given[part], known[part], noise, population=1)
        particles.walk(query.model, None if cond is None else cond[part])
        x.append(particles.x)
        log_weights.append(particles.log_weights)
        query.report(first + len(particles.x), len(given))
    return torch.cat(x), torch.cat(log_weights)
