"""Markov chains that update one sub-pixel after another given all others."""

from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias, get_args

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from pixelcnn.arguments import check_choice, check_tensor, seed_number, whole_number
from pixelcnn.inference.masks import fit_mask
from pixelcnn.inference.mcmc.blocks import SiteBlock
from pixelcnn.inference.mcmc.local_evaluator import LocalEvaluator
from pixelcnn.inference.query import check_model, resolve_site
from pixelcnn.models import AutoregressiveModel, Cond
from pixelcnn.order import Site
from pixelcnn.pauses import pause
from pixelcnn.walk import chain_noise, sample_levels

Scan: TypeAlias = Literal["systematic", "random"]
Kernel: TypeAlias = Literal["gibbs", "metropolis"]

MAX_LEVELS_TRIED = 16
"""Where the kernel is not named, up to so many levels are all tried."""


class Move(NamedTuple):
    """One step: the levels, their probabilities and the choice.

    Averages of the probabilities have less variance than averages of the choices.

    Attributes:
        block: The sub-pixels that were updated.
        chains: In which chains.
        levels: The candidates, the present one first. (J, N, S).
        probabilities: Of choosing each: the full conditional, or those of rejecting and
            accepting. (J, N, S), float64.
        choice: Index of the level taken. (N, S).
    """

    block: SiteBlock
    chains: slice
    levels: Tensor
    probabilities: Tensor
    choice: Tensor

    @property
    def taken(self) -> Tensor:
        """The levels that were chosen. (N, S)."""
        return self.levels.gather(0, self.choice[None].to(self.levels.device))[0]

    def distribution(self, num_classes: int) -> Tensor:
        """Probabilities by level. (N, S, K)."""
        found = self.probabilities.new_zeros(*self.choice.shape, num_classes)
        levels = rearrange(self.levels, "j n s -> n s j").to(found.device)
        return found.scatter_add_(2, levels, rearrange(self.probabilities, "j n s -> n s j"))


class GibbsChains:
    """Chains of images whose known sub-pixels stay, while the others converge to the posterior.

    The full conditional of a sub-pixel is proportional to the product of the factors that it is
    in: its own, and those of the later sub-pixels that see it. A step evaluates only these, for
    all chains and levels at once, and sub-pixels that are in no factor together share it.

    The kernel "gibbs" evaluates each level, and samples one from the full conditional. "metropolis"
    samples a proposal from the model given the earlier sub-pixels, and accepts it with
    probability min(1, a), where a is the ratio of the later sub-pixels' factors. It evaluates one
    level, however many there are, and none where it proposes the present one, which saves nearly
    all evaluations of images with few surprises. Both leave the posterior as it is, and reach
    every image.

    Args:
        model: Any architecture.
        x: Where the chains begin. (N, C, H, W).
        known: The sub-pixels that stay as they are. (H, W), (C, H, W) or (N, C, H, W), bool.
        cond: As the model takes it; one for all chains or one for each.
        seed: With its number, decides each chain.
        first: Number of the first chain.
        scan: "systematic" updates every sub-pixel once in a sweep; "random" updates as many
            blocks as there are, sampled with replacement, the same in all chains.
        kernel: None for "gibbs" up to 16 levels, unless attention makes the whole image the
            window; then, and above, "metropolis".
        batch_size: Images evaluated at once.

    Attributes:
        blocks: The sub-pixels that are updated, by the steps that they share.
        kernel: The one in use.

    Raises:
        ShapeError: If images, mask or condition do not fit.
        ConfigError: If `model` is none, or a setting is out of range.

    References:
        Stochastic Relaxation, Gibbs Distributions, and the Bayesian Restoration of Images
        (Geman & Geman, 1984), section XI. Monte Carlo Sampling Methods Using Markov Chains and
        Their Applications (Hastings, 1970), section 2.5.

    Example:
        >>> from pixelcnn.models import PixelCNN
        >>> known = torch.tensor([[[True, False], [False, True]]])
        >>> chains = GibbsChains(PixelCNN(), torch.ones(3, 1, 2, 2).long(), known)
        >>> [(move.block.rows.item(), move.block.columns.item()) for move in chains.sweep()]
        [(0, 1), (1, 0)]
        >>> bool(chains.x[:, known].all())
        True
    """

    def __init__(
        self,
        model: AutoregressiveModel,
        x: Tensor,
        known: Tensor,
        *,
        cond: Cond = None,
        seed: int = 0,
        first: int = 0,
        scan: Scan = "systematic",
        kernel: Kernel | None = None,
        batch_size: int = 256,
    ) -> None:
        check_model(model)
        check_tensor("x", x, "integer levels")
        check_scan(scan, kernel)
        self.num_classes = model.num_classes
        self.batch_size = whole_number("batch_size", batch_size)
        self.seed, self.first = seed_number(seed), seed_number(first, "first")
        self.images = LocalEvaluator(model, x, cond=cond, batch_size=self.batch_size)
        self.free = ~fit_mask(known, self.x)
        self.scan = scan
        tries_all = model.receptive_field().is_bounded and model.num_classes <= MAX_LEVELS_TRIED
        self.kernel: Kernel = kernel or ("gibbs" if tries_all else "metropolis")
        self.blocks = self.images.blocks.covering(self.free.any(0))
        self._time = 0
        # A Metal device has no doubles, so there each choice is made on the CPU.
        self._chooses_on = torch.device("cpu") if self.x.device.type == "mps" else self.x.device

    @property
    def x(self) -> Tensor:
        """The images as they are now. (N, C, H, W), int64, on the model's device."""
        return self.images.x

    def log_prob(self) -> Tensor:
        """Log-probability of each chain's image now, at no cost. Nats. (N,)."""
        return self.images.log_prob()

    def sweep(self) -> Iterator[Move]:
        """Updates the unknown sub-pixels; after each step `x` is as the step left it."""
        self._time += 1
        order = self._order()
        noise = self._noise(len(order), max(map(len, self.blocks), default=0))
        for visit, number in enumerate(order):
            block = self.blocks[number]
            yield from self._steps(block, noise[:, :, visit, : len(block)], self.kernel)

    def update(self, site: Site) -> Tensor:
        """Updates one sub-pixel from its full conditional, whatever the kernel.

        Returns:
            The full conditionals; where the sub-pixel is known, 1 for its level. (N, K), float64.
        """
        self._time += 1
        moves = self._steps(self.images.blocks.single(site), self._noise(1, 1)[:, :, 0], "gibbs")
        return torch.cat([move.distribution(self.num_classes)[:, 0] for move in moves])

    def _order(self) -> list[int]:
        if self.scan == "systematic" or not self.blocks:
            return list(range(len(self.blocks)))
        # A stream of its own: no chain has this number.
        key = np.array([self.seed, 2**64 - 1], dtype=np.uint64)
        stream = np.random.Philox(key=key, counter=[0, 0, 0, self._time])
        visits: list[int] = (
            np.random.Generator(stream).integers(len(self.blocks), size=len(self.blocks)).tolist()
        )
        return visits

    def _noise(self, visits: int, sites: int) -> Tensor:
        """For each chain, numbers to propose with and numbers to choose with. (N, 2, visits, S)."""
        shape = len(self.x), 2, visits, sites
        return chain_noise(self.seed, self.first, shape, time=self._time).to(self._chooses_on)

    def _steps(self, block: SiteBlock, noise: Tensor, kernel: Kernel) -> Iterator[Move]:
        """A step of every chain, as many chains at once as the batch size allows."""
        num_others = self.num_classes - 1 if kernel == "gibbs" else 1
        size = max(1, self.batch_size // num_others)
        for start in range(0, len(self.x), size):
            chains = slice(start, start + size)
            step = self._gibbs_step if kernel == "gibbs" else self._metropolis_step
            yield step(block, chains, *noise[chains].unbind(1))
            pause()

    def _gibbs_step(self, block: SiteBlock, chains: slice, _: Tensor, noise: Tensor) -> Move:
        levels = all_levels(block.of(self.x[chains]), self.num_classes)
        nats, params = self.images.consider(block, chains, levels)
        nats = nats.to(self._chooses_on, torch.float64)
        # Where the sub-pixel is known, only the present level is possible.
        is_free = block.of(self.free[chains]).to(self._chooses_on)
        nats[1:] = nats[1:].where(is_free, float("-inf"))
        choice = sample_levels(rearrange(nats, "j n s -> (n s) j"), noise.flatten()).view(
            noise.shape
        )
        self.images.take(block, chains, levels, params, choice.to(self.x.device))
        return Move(block, chains, levels, nats.softmax(0), choice)

    def _metropolis_step(
        self, block: SiteBlock, chains: slice, proposing: Tensor, choosing: Tensor
    ) -> Move:
        present, is_free = block.of(self.x[chains]), block.of(self.free[chains])
        logits = self.images.prefix_logits(block, chains).to(self._chooses_on, torch.float64)
        proposed = (
            sample_levels(logits, proposing.flatten()).view(proposing.shape).to(present.device)
        )
        levels = torch.stack([present, proposed.where(is_free, present)])
        by_level = rearrange(levels, "j n s -> (n s) j").to(self._chooses_on)
        own = logits.log_softmax(1).gather(1, by_level)
        own = rearrange(own, "(n s) j -> j n s", n=len(present))
        accept = torch.ones_like(choosing)
        # A chain that proposes what it has needs no evaluation; of likely levels most do.
        changed = (levels[0] != levels[1]).any(1).nonzero()[:, 0]
        if len(changed):
            images, at = chains.start + changed, changed.to(self._chooses_on)
            nats, params = self.images.consider(block, images, levels[:, changed])
            later = nats.to(own) - own[:, at]
            accept[at] = (later[1] - later[0]).clamp(max=0).exp()
            choice = (choosing[at] < accept[at]).long().to(self.x.device)
            self.images.take(block, images, levels[:, changed], params, choice)
        choice = (choosing < accept).long()
        return Move(block, chains, levels, torch.stack([1 - accept, accept]), choice)


def full_conditional(
    model: AutoregressiveModel, x: Tensor, site: Site, *, cond: Cond = None, batch_size: int = 256
) -> Tensor:
    """The distribution of one sub-pixel given all others, earlier and later.

    Args:
        model: Any architecture.
        x: Levels; that of the sub-pixel itself does not matter. (B, C, H, W).
        site: Channel, row and column.
        cond: As the model takes it.
        batch_size: Images evaluated at once.

    Returns:
        Probabilities. (B, K), float64.

    Raises:
        ShapeError: If images or condition do not fit the model.

    Example:
        >>> from pixelcnn.models import PixelCNN
        >>> model, x = PixelCNN(num_classes=2), torch.zeros(5, 1, 3, 3).long()
        >>> full_conditional(model, x, Site(0, 1, 1)).shape
        torch.Size([5, 2])
    """
    check_tensor("x", x, "integer levels")
    place = resolve_site(site, x.shape[1:])
    known = torch.ones(x.shape[1:], dtype=torch.bool)
    known[place] = False
    return GibbsChains(model, x, known, cond=cond, batch_size=batch_size).update(place)


def all_levels(present: Tensor, num_classes: int) -> Tensor:
    """Every level, the present one first. (N, S) to (K, N, S).

    Example:
        >>> all_levels(torch.tensor([[2]]), 3).flatten()
        tensor([2, 0, 1])
    """
    shift = torch.arange(num_classes, device=present.device)
    return (present + shift[:, None, None]) % num_classes


def check_scan(scan: str, kernel: str | None) -> None:
    """Raises `ConfigError` unless chains can go like that."""
    check_choice("scan", scan, get_args(Scan))
    check_choice("kernel", kernel, [*get_args(Kernel), None])
