"""What a model is examined on: images, conditions and sites."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from pixelcnn.models import AutoregressiveModel
from pixelcnn.nn import Condition
from pixelcnn.order import RasterOrder, Site
from pixelcnn.spec import ImageSpec
from pixelcnn.walk import drawing, stepper_for, walk

NUM_DRAWN = 8
"""Images that the model drew, and as many of noise: what it knows, and what it never saw."""

WORK = 6.5e11
"""Multiplications for what is looked at site by site: half a minute or so of one core."""

FEWEST_SITES = 16
CHUNK = 16  # images in one pass


@dataclass(frozen=True, eq=False)
class VerificationInputs:
    """A model under examination, and what it is examined on.

    Attributes:
        model: In evaluation mode.
        x: Images that the model drew, then as many of noise. (N, C, H, W).
        cond: A condition for each. (N, …), or None.
        num_sites: Sites to be looked at one by one; None for as many as `WORK` allows.
        seed: Decides all that is random here.
    """

    model: AutoregressiveModel
    x: Tensor
    cond: Tensor | None
    num_sites: int | None
    seed: int

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the images."""
        return self.x.shape[2], self.x.shape[3]

    @property
    def tolerance(self) -> float:
        """How far two ways to one number may part: the root of what the dtype resolves."""
        return float(torch.finfo(self.model.embed.like.dtype).eps ** 0.5)

    @property
    def conditions(self) -> list[Tensor | None]:
        """The conditions, and none where the model serves without."""
        return [self.cond, None] if self.model.condition.is_optional else [self.cond]

    def generator(self) -> Generator:
        """A source of noise on the CPU, always from its beginning."""
        return torch.Generator().manual_seed(self.seed)

    def sites(self, order: RasterOrder, *, passes: int) -> list[Site]:
        """Sites to be looked at one by one, in raster order: all, or a sample.

        Args:
            order: All of them.
            passes: What one site costs, in passes over one image.
        """
        count = self.num_sites
        if count is None:
            cost = passes * self.model.num_parameters * self.size[0] * self.size[1]
            count = max(FEWEST_SITES, int(WORK / cost))
        return choose_sites(order, count, self.generator())

    def batches(self, sites: list[Site]) -> Iterator[tuple[list[Site], Tensor, Tensor | None]]:
        """Sites by the chunk, each with an image of its own: they take turns. And conditions."""
        for start in range(0, len(sites), CHUNK):
            part = sites[start : start + CHUNK]
            numbers = torch.arange(start, start + len(part), device=self.x.device)
            turns = (numbers + numbers // len(self.x)) % len(self.x)  # another one in every row
            yield part, self.x[turns], None if self.cond is None else self.cond[turns]


def make_inputs(
    model: AutoregressiveModel, spec: ImageSpec, *, num_sites: int | None, seed: int
) -> VerificationInputs:
    """Draws images from a model in evaluation mode, and adds noise and conditions."""
    generator = torch.Generator().manual_seed(seed)
    count = 2 * NUM_DRAWN
    cond = some_conditions(model.condition, count, (spec.height, spec.width), generator)
    cond = model.prepare_cond(cond, count)
    # Walked as it is: a model that gives no numbers shall fail lines, and not the drawing.
    drawn = model.blank(NUM_DRAWN, spec.shape)
    told = None if cond is None else cond[:NUM_DRAWN]
    walk(stepper_for(model), drawn, drawing(drawn, seed=seed), cond=told)
    noise = torch.randint(spec.levels, drawn.shape, generator=generator).to(model.device)
    return VerificationInputs(model, torch.cat([drawn, noise]), cond, num_sites, seed)


def some_conditions(
    condition: Condition, count: int, size: tuple[int, int], generator: Generator
) -> Tensor | None:
    """Conditions of the kind that a model takes: labels in turn, other ones from 0 to 1."""
    if condition.kind == "labels":
        return torch.randperm(condition.count, generator=generator).repeat(count)[:count]
    if condition.kind == "attributes":
        return torch.rand(count, condition.count, generator=generator)
    if condition.kind == "maps":
        return torch.rand(count, condition.count, *size, generator=generator)
    return None


def choose_sites(order: RasterOrder, count: int, generator: Generator) -> list[Site]:
    """All sites of an order, or the first, the last, and others by chance; in their order.

    Example:
        >>> chosen = choose_sites(RasterOrder(1, 4, 4), 3, torch.Generator().manual_seed(0))
        >>> len(chosen), tuple(chosen[0]), tuple(chosen[-1])
        (3, (0, 0, 0), (0, 3, 3))
    """
    sites = list(order)
    if count >= len(sites):
        return sites
    last = len(sites) - 1
    inner = (1 + torch.randperm(last - 1, generator=generator)).tolist()
    return [sites[number] for number in sorted([0, last, *inner][:count])]


def said(sites: list[Site], order: RasterOrder, what: str) -> str:
    """How many of the sites were looked at, in words.

    Example:
        >>> order = RasterOrder(1, 2, 2)
        >>> said(list(order), order, "sub-pixels"), said(list(order)[:1], order, "sub-pixels")
        ('all 4 sub-pixels', 'a sample of 1 of 4 sub-pixels')
    """
    if len(sites) == len(order):
        return f"all {len(order):,} {what}"
    return f"a sample of {len(sites):,} of {len(order):,} {what}"
