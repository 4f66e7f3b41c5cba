"""Functions as tables, computed by arithmetic of integers alone: equal on every machine.

Arguments are rounded to multiples of 1 / 1024, halves to even.
"""

import math
from collections.abc import Callable
from functools import cache
from itertools import accumulate, repeat

import torch
from torch import Tensor

STEPS = 2**10
"""Entries for each unit of the argument."""

REACH = 24
"""Arguments beyond ±24 are read as ±24: exp(-24) is less than 2**-34."""

WAVE = 512
"""Entries of a turn of `sines`."""

ONE = 1 << 128  # one, in the integers that tables are computed with


@cache
def _decay() -> list[int]:
    """exp(-i / STEPS) × ONE for i from 0 to REACH × STEPS, each by one product and a shift."""
    root, term, n = 0, ONE, 0
    while term:  # the series of exp(-1 / STEPS)
        root += term if n % 2 == 0 else -term
        n += 1
        term //= n * STEPS
    return list(accumulate(repeat(root, REACH * STEPS), lambda a, b: (a * b) >> 128, initial=ONE))


def _tensor(numerators: list[int], denominators: list[int]) -> Tensor:
    """Quotients of integers, which Python rounds correctly to float64."""
    pairs = zip(numerators, denominators, strict=True)
    return torch.tensor([a / b for a, b in pairs], dtype=torch.float64)


@cache
def exponential() -> Tensor:
    """exp(-i / STEPS) for i from 0; the last entry is 0."""
    decay = _decay()
    return _tensor([*decay[:-1], 0], [ONE] * len(decay))


@cache
def logistic() -> Tensor:
    """σ(i / STEPS) for i from -REACH × STEPS to REACH × STEPS."""
    decay = _decay()
    below = _tensor(decay, [ONE + each for each in decay])
    above = _tensor([ONE] * len(decay), [ONE + each for each in decay])
    return torch.cat([below.flip(0), above[1:]])


@cache
def hyperbolic() -> Tensor:
    """tanh(i / STEPS) for i from -REACH / 2 × STEPS to REACH / 2 × STEPS."""
    decay = _decay()[::2]  # exp(-2 i / STEPS)
    above = _tensor([ONE - each for each in decay], [ONE + each for each in decay])
    return torch.cat([-above[1:].flip(0), above])


@cache
def logarithm() -> Tensor:
    """ln(1 + i / STEPS) for i from 0 to STEPS."""

    def entry(i: int) -> int:
        # ln((1 + t) / (1 - t)) = 2 (t + t**3 / 3 + …) with t = i / (2 STEPS + i)
        below, total, n = 2 * STEPS + i, 0, 1
        power = ONE * i // below
        while power:
            total += power // n
            power, n = power * i * i // (below * below), n + 2
        return 2 * total

    return _tensor([entry(i) for i in range(STEPS + 1)], [ONE] * (STEPS + 1))


@cache
def sines() -> Tensor:
    """sin(2π i / WAVE) for i from 0 to WAVE - 1."""
    # Cosine and sine of the first angle by halving a right angle, the others by turning.
    cosine, sine, halvings = 0, ONE, WAVE.bit_length() - 3
    for _ in range(halvings):
        cosine, sine = math.isqrt(ONE * (ONE + cosine) // 2), math.isqrt(ONE * (ONE - cosine) // 2)
    quarter = [(ONE, 0)]
    while len(quarter) <= WAVE // 4:
        c, s = quarter[-1]
        quarter.append(((c * cosine - s * sine) >> 128, (s * cosine + c * sine) >> 128))
    rising = _tensor([s for _, s in quarter], [ONE] * len(quarter))
    half = torch.cat([rising[:-1], rising[1:].flip(0)])
    return torch.cat([half, -half])


@cache
def on_device(make: Callable[[], Tensor], device: torch.device) -> Tensor:
    """A table on a device, made once."""
    return make().to(device)


def read_nearest(table: Tensor, h: Tensor, *, first: int = 0) -> Tensor:
    """Entries of a table at the nearest arguments.

    Args:
        table: Its first entry belongs to `first` / STEPS, the next to (`first` + 1) / STEPS ….
        h: Arguments, of any shape; those beyond the ends are read as the ends.
        first: Of the table.
    """
    index = (h * STEPS).round_().clamp_(first, first + len(table) - 1).sub_(first).long()
    return table.index_select(0, index.flatten()).view(h.shape)


def read_between(table: Tensor, h: Tensor, *, first: int = 0) -> Tensor:
    """As `read_nearest`, on the straight line between the entries below and above."""
    place = (h * STEPS).clamp_(first, first + len(table) - 1).sub_(first)
    below = place.floor().clamp_(max=len(table) - 2)
    index = below.long().flatten()
    start = table.index_select(0, index).view(h.shape)
    step = table.index_select(0, index + 1).view(h.shape).sub_(start)
    return step.mul_(place.sub_(below)).add_(start)
