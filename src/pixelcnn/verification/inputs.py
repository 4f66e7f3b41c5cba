"""The inputs of the checks: images, conditions and sites."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from pixelcnn.models import AutoregressiveModel
from pixelcnn.nn import Condition
from pixelcnn.order import RasterOrder, Site
from pixelcnn.spec import ImageSpec
from pixelcnn.walk import sampling_chooser, stepper_for, walk

NUM_SAMPLED = 8
"""Samples of the model, with as many images of noise: likely and unlikely inputs."""

WORK = 6.5e11
"""Multiplications of a check that goes site by site: about half a minute of one core."""

FEWEST_SITES = 16
CHUNK = 16  # images in one pass


@dataclass(frozen=True, eq=False)
class VerificationInputs:
    """A model, and the inputs at which it is checked.

    Attributes:
        model: In evaluation mode.
        x: Samples of the model, then as many images of noise. (N, C, H, W).
        cond: A condition for each. (N, …), or None.
        num_sites: Sites to check one by one; None for as many as `WORK` allows.
        seed: Of all random choices here.
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
        """Largest accepted difference of two computations: the root of the dtype's epsilon."""
        return float(torch.finfo(self.model.embed.like.dtype).eps ** 0.5)

    @property
    def conditions(self) -> list[Tensor | None]:
        """The conditions; and None too if the model accepts no condition."""
        return [self.cond, None] if self.model.condition.is_optional else [self.cond]

    def generator(self) -> Generator:
        """A new generator on the CPU, seeded with `seed`."""
        return torch.Generator().manual_seed(self.seed)

    def sites(self, order: RasterOrder, *, passes: int) -> list[Site]:
        """Sites to check one by one, in raster order: all, or a sample.

        Args:
            order: All sites.
            passes: Cost of one site, in passes over one image.
        """
        count = self.num_sites
        if count is None:
            cost = passes * self.model.num_parameters * self.size[0] * self.size[1]
            count = max(FEWEST_SITES, int(WORK / cost))
        return choose_sites(order, count, self.generator())

    def batches(self, sites: list[Site]) -> Iterator[tuple[list[Site], Tensor, Tensor | None]]:
        """Yields chunks of sites, an image for each of them, in turn, and their conditions."""
        for start in range(0, len(sites), CHUNK):
            part = sites[start : start + CHUNK]
            numbers = torch.arange(start, start + len(part), device=self.x.device)
            images = (numbers + numbers // len(self.x)) % len(self.x)  # another image in every row
            yield part, self.x[images], None if self.cond is None else self.cond[images]


def make_inputs(
    model: AutoregressiveModel, spec: ImageSpec, *, num_sites: int | None, seed: int
) -> VerificationInputs:
    """Samples images from a model in evaluation mode, and adds noise and conditions."""
    generator = torch.Generator().manual_seed(seed)
    count = 2 * NUM_SAMPLED
    cond = make_conditions(model.condition, count, (spec.height, spec.width), generator)
    cond = model.prepare_cond(cond, count)
    # By a plain walk: a model that predicts NaN fails checks, and not the sampling.
    samples = model.blank(NUM_SAMPLED, spec.shape)
    own = None if cond is None else cond[:NUM_SAMPLED]
    walk(stepper_for(model), samples, sampling_chooser(samples, seed=seed), cond=own)
    noise = torch.randint(spec.levels, samples.shape, generator=generator).to(model.device)
    return VerificationInputs(model, torch.cat([samples, noise]), cond, num_sites, seed)


def make_conditions(
    condition: Condition, count: int, size: tuple[int, int], generator: Generator
) -> Tensor | None:
    """Conditions of the kind that a model takes: labels in turn, numbers from 0 to 1."""
    if condition.kind == "labels":
        return torch.randperm(condition.count, generator=generator).repeat(count)[:count]
    if condition.kind == "attributes":
        return torch.rand(count, condition.count, generator=generator)
    if condition.kind == "maps":
        return torch.rand(count, condition.count, *size, generator=generator)
    return None


def choose_sites(order: RasterOrder, count: int, generator: Generator) -> list[Site]:
    """All sites of an order, or the first, the last and random others, in their order.

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


def describe_sites(sites: list[Site], order: RasterOrder, what: str) -> str:
    """How many of the sites were checked, as text.

    Example:
        >>> order = RasterOrder(1, 2, 2)
        >>> describe_sites(list(order), order, "pixels")
        'all 4 pixels'
        >>> describe_sites(list(order)[:1], order, "pixels")
        'a sample of 1 of 4 pixels'
    """
    if len(sites) == len(order):
        return f"all {len(order):,} {what}"
    return f"a sample of {len(sites):,} of {len(order):,} {what}"
