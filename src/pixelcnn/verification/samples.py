"""Whether samples follow the exact probabilities."""

from collections.abc import Iterator

import torch
from torch import Tensor

from pixelcnn.arguments import SEEDS
from pixelcnn.models import AutoregressiveModel
from pixelcnn.order import Front, Site
from pixelcnn.verification.causality import level_probs
from pixelcnn.verification.inputs import VerificationInputs
from pixelcnn.verification.mass import crops_of, every_sequence, sequence_rank, site_nats
from pixelcnn.verification.report import Check
from pixelcnn.walk import sampling_chooser, stepper_for, walk

NUM_SAMPLES = 10_000
NUM_CROPS = 8
SIDE = 4
MOST_CELLS = 1_000  # of the histogram: different continuations
LEAST_EXPECTED = 5  # samples in a cell, below which chi-square does not hold
FALSE_ALARM = 1e-6


@torch.no_grad()
def check_samples(inputs: VerificationInputs) -> Iterator[Check]:
    """Tests sampled continuations of crops against their exact probabilities by chi-square.

    Whole small images would test little: many models predict the first pixels almost surely. So
    each crop comes from the middle of an image, its beginning is given, and all continuations are
    counted.
    """
    model = inputs.model
    crops, conds = crops_of(inputs, inputs.cond, NUM_CROPS, SIDE)
    length = continuation_length(model.num_classes, crops[0].numel())
    statistic, freedom = 0.0, 0
    for n, crop in enumerate(crops):
        cond = None if conds is None else conds[n : n + 1]
        expected = continuation_probs(model, crop, cond, length) * (NUM_SAMPLES // len(crops))
        found = sample_continuations(
            model,
            crop,
            cond,
            length,
            count=NUM_SAMPLES // len(crops),
            seed=(inputs.seed + n) % SEEDS,
        )
        counts = torch.bincount(
            sequence_rank(found, model.num_classes).cpu(), minlength=len(expected)
        )
        more, cells = chi_square(counts.double(), expected.cpu())
        statistic, freedom = statistic + more, freedom + cells
    last = "sub-pixel" if length == 1 else f"{length} sub-pixels"
    yield Check(
        "samples_follow_likelihood",
        "Samples follow the exact probabilities.",
        p_value(statistic, freedom),
        FALSE_ALARM,
        f"p-value of a chi-square test with {freedom:,} degrees of freedom",
        f"{NUM_SAMPLES:,} samples of the last {last} of {len(crops)} crops of "
        f"{crops.shape[2]}×{crops.shape[3]} pixels, given the rest",
        is_sample=True,
        is_minimum=True,
    )


def continuation_length(levels: int, num_dims: int) -> int:
    """The most sub-pixels with at most `MOST_CELLS` continuations, and at least one."""
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


def continuation_probs(
    model: AutoregressiveModel, x: Tensor, cond: Tensor | None, length: int
) -> Tensor:
    """Probability of each continuation of an image (C, H, W). (K ** length,), float64."""
    if length == 1:  # there may be many levels, and one pass predicts all
        last = Site(*(side - 1 for side in x.shape))
        return level_probs(model, model(x[None], cond), x[None], [last])[0]
    continuations = every_sequence(length, model.num_classes).to(x.device)
    sequences = in_order(x[None]).repeat(len(continuations), 1)
    sequences[:, -length:] = continuations
    parts = site_nats(model, as_images(sequences, x), cond)
    return torch.cat([in_order(nats)[:, -length:].sum(1) for nats in parts]).exp()


def sample_continuations(
    model: AutoregressiveModel,
    x: Tensor,
    cond: Tensor | None,
    length: int,
    *,
    count: int,
    seed: int,
) -> Tensor:
    """Samples the last sub-pixels of an image (C, H, W) given the others. (count, length)."""
    is_known = torch.arange(x.numel(), device=x.device) < x.numel() - length
    known = as_images(is_known.repeat(count, 1), x)
    given = x.repeat(count, 1, 1, 1)
    samples = torch.zeros_like(given)
    sample = sampling_chooser(samples, seed=seed)

    def choose(logits: Tensor, front: Front) -> Tensor:
        levels = sample(logits, front)
        return torch.where(front.of(known).flatten(), front.of(given).flatten(), levels)

    cond = None if cond is None else cond.expand(count, *cond.shape[1:])
    walk(stepper_for(model), samples, choose, cond=cond)
    return in_order(samples)[:, -length:]


def chi_square(counts: Tensor, expected: Tensor) -> tuple[float, int]:
    """Pearson's statistic and its degrees of freedom.

    The rarest cells are merged until none is rare.

    Args:
        counts: Samples in each cell. (N,), float64.
        expected: Their expected number. (N,), float64.

    Returns:
        Infinity if a sample has probability 0.
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
    """Probability that chi-square is so large or larger; 1 where nothing can vary."""
    if freedom == 0:
        return 1.0
    half = torch.tensor([freedom / 2, statistic / 2], dtype=torch.float64)
    return float(torch.special.gammaincc(*half))
