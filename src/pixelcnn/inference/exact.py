"""Exact conditionals by enumeration, where the number of possible images is small."""

from collections.abc import Iterator

import torch
from torch import Tensor

from pixelcnn.errors import ConfigError
from pixelcnn.inference.estimates import LevelEstimate, exact_estimate
from pixelcnn.inference.query import Query, checked_nats
from pixelcnn.order import Site

MAX_STATES = 2**20


def exact(query: Query, site: Site, *, max_states: int = MAX_STATES) -> LevelEstimate:
    """The conditional distribution of a sub-pixel, as a sum over all images that are possible.

    Unknown sub-pixels after the site and after all known ones sum to one, so only those before are
    enumerated.

    Args:
        query: Of one image.
        site: An unknown sub-pixel.
        max_states: Images enumerated at most.

    Returns:
        Probabilities with zero errors; `log_evidence` is the log-probability of what is known.

    Raises:
        ConfigError: If there are more images than that.
    """
    levels = query.model.num_classes
    mass = torch.full((levels,), float("-inf"), dtype=torch.float64)
    num_states = 0
    for x, log_prob in enumerate_images(query, site, max_states=max_states):
        here = x[:, site.channel, site.row, site.column].cpu()
        for level in range(levels):
            part = log_prob[here == level]
            mass[level] = torch.cat([mass[level : level + 1], part]).logsumexp(0)
        num_states += len(x)
    evidence = float(mass.logsumexp(0))
    return exact_estimate(mass.softmax(0), num_draws=num_states, log_evidence=evidence)


def enumerate_images(
    query: Query, site: Site | None = None, *, max_states: int = MAX_STATES
) -> Iterator[tuple[Tensor, Tensor]]:
    """All images that agree with what is known, batch by batch.

    Args:
        query: Of one image.
        site: If given, sub-pixels after it and after all known ones are left out of the sum and
            stay zero; without it whole images are enumerated.
        max_states: Images at most.

    Yields:
        Levels (N, C, H, W), and log-probabilities in nats (N,), float64, on the CPU.

    Raises:
        ConfigError: If there are more images than that.
    """
    free, stop = _enumerated(query, site)
    model, levels = query.model, query.model.num_classes
    _check_count(levels, len(free), max_states)
    place = levels ** torch.arange(len(free) - 1, -1, -1)
    total = levels ** len(free)
    for first in range(0, total, query.batch_size):
        numbers = torch.arange(first, min(first + query.batch_size, total))
        x = query.given.repeat(len(numbers), 1, 1, 1)
        for each, where in zip(free, place, strict=True):
            at = (slice(None), *each)
            x[at] = (numbers // where % levels).to(x.device)
        cond = None if query.cond is None else query.cond.repeat_interleave(len(x), 0)
        in_order = checked_nats(model, x, cond).permute(0, 2, 3, 1).flatten(1)[:, :stop]
        query.report(int(numbers[-1]) + 1, total)
        yield x, in_order.cpu().double().sum(1)


def num_states(query: Query, site: Site | None = None) -> int:
    """How many images `enumerate_images` yields."""
    return int(query.model.num_classes ** len(_enumerated(query, site)[0]))


def _enumerated(query: Query, site: Site | None) -> tuple[list[Site], int]:
    """The unknown sub-pixels that matter, and where in the order those that matter end."""
    order, known = query.order(), query.known[0].cpu()
    stop = len(order)
    if site is not None:
        stop = 1 + max(order.index(each) for each in order if known[each] or each == site)
    return [each for each in list(order)[:stop] if not known[each]], stop


def _check_count(levels: int, num_free: int, max_states: int) -> None:
    if levels**num_free > max_states:
        raise ConfigError(
            f"The method 'exact' would enumerate {levels}^{num_free} images of {num_free} unknown "
            f"sub-pixels with {levels} levels; `max_states` allows {max_states:,}. Use "
            f"'smc' or 'gibbs'."
        )
