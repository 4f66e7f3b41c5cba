"""Particles: images sampled in order where unknown, and weighted where known."""

from contextlib import closing

import torch
from torch import Tensor

from pixelcnn.inference.estimates import effective_sample_size
from pixelcnn.inference.query import Query, check_nats
from pixelcnn.models import AutoregressiveModel
from pixelcnn.order import Front, Site
from pixelcnn.walk import CachedStepper, image_noise, sample_levels, walk_rows


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

        Args:
            model: Any architecture.
            cond: As the model takes it, one entry per image.
            num_rows: Rows from the top to fill; None for all.
        """
        stepper = CachedStepper(model)

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

        with closing(walk_rows(stepper, self.x, choose, cond=cond)) as rows:
            for rows_done in rows:
                if num_rows is not None and rows_done >= num_rows:
                    break
        check_nats(self.log_weights)
        check_nats(self.shares)

    @property
    def log_evidence(self) -> Tensor:
        """Estimated log-probability of what is known, by population. Nats. (N / S,)."""
        return _log_mean(self.by_population(self.log_weights))

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
        mean = _log_mean(log_weights)[:, None]
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


def systematic(log_weights: Tensor, uniform: Tensor, count: int | None = None) -> Tensor:
    """Systematic resampling: evenly spaced points in the cumulative weights.

    Each image is taken `count` times its share of the weight, rounded up or down.

    Args:
        log_weights: (P, S), up to a constant for each population.
        uniform: Where the points of each population begin, in [0, 1). (P,).
        count: Images taken of each population, N; None for as many as it has.

    Returns:
        Numbers of the images taken, in order. (P, N), int64.

    References:
        Monte Carlo Filter and Smoother for Non-Gaussian Nonlinear State Space Models (Kitagawa,
        1996), appendix.

    Example:
        >>> systematic(torch.tensor([[0.5, 0.25, 0.0, 0.25]]).log(), torch.tensor([0.5]))
        tensor([[0, 0, 1, 3]])
    """
    count = log_weights.shape[1] if count is None else count
    cumulative = log_weights.softmax(1).cumsum(1)
    steps = torch.arange(count, device=log_weights.device)
    shares = (steps + uniform[:, None]) / count
    # Below the last sum, whatever rounding does to either: an image without weight stays untaken.
    below = 1 - torch.finfo(cumulative.dtype).eps
    points = shares.to(cumulative.dtype).clamp(max=below) * cumulative[:, -1:]
    return torch.searchsorted(cumulative, points, right=True)


def in_place(ancestors: Tensor) -> Tensor:
    """The same images taken, each as often, but every one that is taken stays where it is.

    So only copies have to be made.

    Args:
        ancestors: Numbers of the images taken. (P, S), int64.

    Example:
        >>> in_place(torch.tensor([[0, 0, 1, 3, 3]]))
        tensor([[0, 1, 0, 3, 3]])
    """
    numbers = torch.arange(ancestors.numel(), device=ancestors.device)
    first = numbers.view_as(ancestors)[:, :1]
    count = (ancestors + first).flatten().bincount(minlength=len(numbers))
    again = numbers.repeat_interleave((count - 1).clamp(min=0))
    # As many images of a population are taken again as are not taken, and both are in order.
    return numbers.masked_scatter(count == 0, again).view_as(ancestors) - first


def _log_mean(log_weights: Tensor) -> Tensor:
    """Logarithm of the mean weight of each population. (P, S) to (P,)."""
    size = torch.tensor(float(log_weights.shape[1]), dtype=log_weights.dtype)
    return log_weights.logsumexp(1) - size.log().to(log_weights.device)
