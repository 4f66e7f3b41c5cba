"""Whether what is drawn follows the exact probabilities."""

from collections.abc import Iterator

import torch
from torch import Tensor

from pixelcnn.arguments import SEEDS
from pixelcnn.models import AutoregressiveModel
from pixelcnn.order import Front, Site
from pixelcnn.verification.causality import level_probs
from pixelcnn.verification.checks import Line
from pixelcnn.verification.inputs import VerificationInputs
from pixelcnn.verification.mass import crops_of, every_sequence, rank, site_nats
from pixelcnn.walk import drawing, stepper_for, walk

NUM_DRAWS = 10_000
NUM_CROPS = 8
SIDE = 4
MOST_CELLS = 1_000  # different ways to go on that draws are counted by
LEAST_EXPECTED = 5  # draws in a cell, below which chi-square does not hold
FALSE_ALARM = 1e-6


@torch.no_grad()
def draws(subject: VerificationInputs) -> Iterator[Line]:
    """Chi-square of drawn ends of small images against their exact probabilities.

    Small images on their own would not do: many models know for certain how images begin. So the
    beginning is given, out of the middle of larger ones, and all ways to go on are counted.
    """
    model = subject.model
    crops, conds = crops_of(subject, subject.cond, NUM_CROPS, SIDE)
    num_ends = length_of_ends(model.num_classes, crops[0].numel())
    statistic, freedom = 0.0, 0
    for n, crop in enumerate(crops):
        cond = None if conds is None else conds[n : n + 1]
        expected = end_probs(model, crop, cond, num_ends) * (NUM_DRAWS // len(crops))
        found = draw_ends(
            model,
            crop,
            cond,
            num_ends,
            count=NUM_DRAWS // len(crops),
            seed=(subject.seed + n) % SEEDS,
        )
        counts = torch.bincount(rank(found, model.num_classes).cpu(), minlength=len(expected))
        more, cells = chi_square(counts.double(), expected.cpu())
        statistic, freedom = statistic + more, freedom + cells
    ends = "sub-pixel" if num_ends == 1 else f"{num_ends} sub-pixels"
    yield Line(
        "draws",
        "What is drawn follows the exact probabilities.",
        p_value(statistic, freedom),
        FALSE_ALARM,
        f"p-value of chi-square, {freedom:,} degrees of freedom: how often right draws look so odd",
        f"{NUM_DRAWS:,} draws of the last {ends} of {len(crops)} crops of "
        f"{crops.shape[2]}×{crops.shape[3]} pixels, given the rest",
        is_sample=True,
        is_least=True,
    )


def length_of_ends(levels: int, num_dims: int) -> int:
    """The most sub-pixels that have at most `MOST_CELLS` ways to go on, and at least one.

    Example:
        >>> length_of_ends(2, 16), length_of_ends(256, 16)
        (9, 1)
    """
    length = 1
    while length < num_dims and levels ** (length + 1) <= MOST_CELLS:
        length += 1
    return length


def in_order(x: Tensor) -> Tensor:
    """Images (B, C, H, W) as sequences in raster order. (B, H × W × C)."""
    return x.permute(0, 2, 3, 1).flatten(1)


def as_images(sequences: Tensor, like: Tensor) -> Tensor:
    """Sequences in raster order as images of the shape of one (C, H, W). (B, C, H, W)."""
    channels, height, width = like.shape
    return sequences.view(-1, height, width, channels).permute(0, 3, 1, 2).contiguous()


def end_probs(model: AutoregressiveModel, x: Tensor, cond: Tensor | None, num_ends: int) -> Tensor:
    """Probability of each way that an image (C, H, W) can end. (K ** ends,), float64."""
    if num_ends == 1:  # there may be many levels, and one pass tells all
        last = Site(*(side - 1 for side in x.shape))
        return level_probs(model, model(x[None], cond), x[None], [last])[0]
    ends = every_sequence(num_ends, model.num_classes).to(x.device)
    sequences = in_order(x[None]).repeat(len(ends), 1)
    sequences[:, -num_ends:] = ends
    parts = site_nats(model, as_images(sequences, x), cond)
    return torch.cat([in_order(nats)[:, -num_ends:].sum(1) for nats in parts]).exp()


def draw_ends(
    model: AutoregressiveModel,
    x: Tensor,
    cond: Tensor | None,
    num_ends: int,
    *,
    count: int,
    seed: int,
) -> Tensor:
    """Draws how an image (C, H, W) ends, with what comes before as it is. (count, ends)."""
    is_known = torch.arange(x.numel(), device=x.device) < x.numel() - num_ends
    known = as_images(is_known.repeat(count, 1), x)
    given = x.repeat(count, 1, 1, 1)
    drawn = torch.zeros_like(given)
    choose_freely = drawing(drawn, seed=seed)

    def choose(logits: Tensor, front: Front) -> Tensor:
        levels = choose_freely(logits, front)
        return torch.where(front.of(known).flatten(), front.of(given).flatten(), levels)

    cond = None if cond is None else cond.expand(count, *cond.shape[1:])
    walk(stepper_for(model), drawn, choose, cond=cond)
    return in_order(drawn)[:, -num_ends:]


def chi_square(counts: Tensor, expected: Tensor) -> tuple[float, int]:
    """Pearson's statistic and its degrees of freedom.

    The rarest cells are put together, until nothing is rare.

    Args:
        counts: Draws in each cell. (N,), float64.
        expected: How many there should be. (N,), float64.

    Returns:
        Infinity if something was drawn that cannot be.

    Example:
        >>> chi_square(torch.tensor([60.0, 40.0]), torch.tensor([50.0, 50.0]))
        (4.0, 1)
    """
    if bool((counts[expected <= 0] > 0).any()):
        return float("inf"), 1
    expected, order = expected.sort()
    rare = max(
        int((expected < LEAST_EXPECTED).sum()), int((expected.cumsum(0) < LEAST_EXPECTED).sum()) + 1
    )
    cells, counts = expected.split([rare, len(expected) - rare]), counts[order]
    expected = torch.cat([cells[0].sum()[None], cells[1]])
    counts = torch.cat([counts[:rare].sum()[None], counts[rare:]])
    return float(((counts - expected) ** 2 / expected).sum()), len(counts) - 1


def p_value(statistic: float, freedom: int) -> float:
    """How often chi-square is so large or larger; 1 where there is nothing that could vary.

    Example:
        >>> round(p_value(3.841, 1), 3)
        0.05
    """
    if freedom == 0:
        return 1.0
    half = torch.tensor([freedom / 2, statistic / 2], dtype=torch.float64)
    return float(torch.special.gammaincc(*half))
