"""The parts of a walk over particles: known at first, sampled, and known until the end."""

from dataclasses import dataclass

import torch
from torch import Tensor

from pixelcnn.order import Front, Order

WALK_COST = {"wavefront": 0.5, "sites": 1.5}
"""Passes over whole images that a walk of a large batch costs, by the kind of its fronts: as
docs/benchmarks.md measures, 0.5 for a wavefront and from 0.7 to 3.5 for the others."""


@dataclass(frozen=True)
class Parts:
    """The fronts of a walk, as far as they matter, in three parts.

    Attributes:
        known_before: All of their sub-pixels are known in all images.
        sampled: Down to the last with an unknown sub-pixel. Where images are resampled, the known
            ones of one row more: by these most of the images are dropped.
        known_after: The others, down to the last with a known sub-pixel.
        later: True at the sub-pixels after `sampled`. (C, H, W), bool.
        share: The sub-pixels of `known_after` among all.
        walk_cost: Of a whole image, in passes over it.
    """

    known_before: list[Front]
    sampled: list[Front]
    known_after: list[Front]
    later: Tensor
    share: float
    walk_cost: float

    @classmethod
    def of(cls, order: Order, known: Tensor, num_rows: int | None, *, resamples: bool) -> "Parts":
        """Divides a walk.

        Args:
            order: Of the walk.
            known: (N, C, H, W), bool.
            num_rows: Rows from the top in which unknown sub-pixels matter; None for all.
            resamples: Whether images are resampled at known sub-pixels.
        """
        unknown, any_known = (~known).any(0).cpu(), known.any(0).cpu()
        unknown[:, unknown.shape[1] if num_rows is None else num_rows :] = False
        fronts = list(order.fronts())
        places = [i for i, front in enumerate(fronts) if front.of(unknown[None]).any()]
        first, last = (places[0], places[-1] + 1) if places else (len(fronts), len(fronts))
        needed = [i for i, front in enumerate(fronts) if front.of(any_known[None]).any()]
        end = max(last, needed[-1] + 1 if needed else 0)
        if resamples:
            row = known[0, :, 0].numel()  # channels and columns
            last = min(last + row, end)
        later = torch.zeros_like(unknown)
        for front in fronts[last:end]:
            front.of(later[None]).fill_(True)
        return cls(
            known_before=fronts[:first],
            sampled=fronts[first:last],
            known_after=fronts[last:end],
            later=later,
            share=int(later.sum()) / later.numel(),
            walk_cost=WALK_COST["wavefront" if order.lag else "sites"],
        )

    def pays_to_score(self, differing: float) -> bool:
        """Whether a pass over the images that differ, a share of all, beats walking on."""
        return bool(self.known_after) and differing <= self.share * self.walk_cost


def alike(*parts: Tensor | None) -> tuple[Tensor, Tensor]:
    """Finds images that are equal in all parts.

    Args:
        parts: One entry per image. (N, …). None counts as equal.

    Returns:
        Numbers of images that differ, the first of each kind (M,), and the kind of each image (N,).
        Both int64, on the CPU.

    Example:
        >>> alike(torch.tensor([[7, 5], [1, 1], [7, 5]]), None)
        (tensor([1, 0]), tensor([1, 0, 1]))
    """
    keys = [
        part.flatten(1) if part.ndim > 1 else part[:, None] for part in parts if part is not None
    ]
    key = torch.cat([each.cpu().double() for each in keys], 1)
    kinds, kind = key.unique(dim=0, return_inverse=True)
    first = torch.full((len(kinds),), len(key))
    return first.scatter_reduce(0, kind, torch.arange(len(key)), "amin"), kind
