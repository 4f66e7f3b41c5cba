"""Completions of images, ranked, and where they differ."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from pixelcnn.data.sources.arrays.array_levels import level_type
from pixelcnn.inference.estimates import effective_sample_size, warn_unreliable
from pixelcnn.inference.masks import is_prefix
from pixelcnn.inference.query import Query, checked_nats
from pixelcnn.inference.smc.particles import sample_unknown


@dataclass(frozen=True)
class Completions:
    """M completions of each of B images, the most probable first.

    Attributes:
        images: Levels; those known are as they were given. (B, M, C, H, W), int64, on the CPU.
        log_prob: Of whole images. Nats. (B, M), float64.
        known_log_prob: The part of the known sub-pixels in it: how well a completion explains the
            known sub-pixels that follow. Nats. (B, M), float64.
        known: (B, C, H, W), bool.
        method: "raster", "smc", …
        diagnostics: Values of each image by name. (B,).
        warnings: Why they are not reliable samples from the posterior, in sentences.
    """

    images: Tensor
    log_prob: Tensor
    known_log_prob: Tensor
    known: Tensor
    method: str
    diagnostics: Mapping[str, Tensor] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def is_reliable(self) -> bool:
        """Whether no diagnostic raised a warning."""
        return not self.warnings

    def arrays(self, levels: int) -> dict[str, Any]:
        """Arrays for one .npz file, of images of `levels` levels."""
        return {
            "x": self.images.numpy().astype(level_type(levels)),
            "known": self.known.numpy(),
            "log_prob": self.log_prob.numpy(),
            "levels": np.array(levels),
            "method": np.array(self.method),
            "warnings": np.array(self.warnings, dtype=str),
        }

    @property
    def mean(self) -> Tensor:
        """Mean level of each sub-pixel. (B, C, H, W), float64."""
        return self.images.double().mean(1)

    @property
    def uncertainty(self) -> Tensor:
        """Entropy of the levels that the completions have at each sub-pixel, zero where known.

        M images show at most log2(M). Bits. (B, C, H, W), float64.

        Example:
            >>> images = torch.tensor([0, 0, 1, 1, 2, 2, 3, 3]).view(1, 8, 1, 1, 1)
            >>> nats, known = torch.zeros(1, 8), torch.zeros(1, 1, 1, 1).bool()
            >>> Completions(images, nats, nats, known, "raster").uncertainty.item()
            2.0
        """
        count = self.images.shape[1]
        bits = torch.zeros(self.known.shape, dtype=torch.float64)
        for each in self.images.unbind(1):
            alike = (self.images == each[:, None]).sum(1)
            bits -= (alike / count).double().log2() / count
        return bits

    def warn(self) -> None:
        """Raises each of `warnings` as an `UnreliableEstimateWarning`."""
        warn_unreliable(self.warnings)


def rank_completions(
    query: Query,
    images: Tensor,
    *,
    method: str,
    diagnostics: Mapping[str, Tensor] | None = None,
    warnings: tuple[str, ...] = (),
) -> Completions:
    """Completions in the order of their log-probability.

    Args:
        query: The images and what is known of them.
        images: Levels; not read where known. (B, M, C, H, W).
        method: As `Completions.method`.
        diagnostics: As `Completions.diagnostics`.
        warnings: As `Completions.warnings`.
    """
    count = images.shape[1]
    given, known, cond = query.repeated(count)
    x = given.where(known, rearrange(images, "b m c h w -> (b m) c h w").to(given.device))
    whole, explained = [], []
    for first in range(0, len(x), query.batch_size):
        part = slice(first, first + query.batch_size)
        nats = checked_nats(query.model, x[part], None if cond is None else cond[part])
        nats = nats.cpu().double()
        whole.append(nats.flatten(1).sum(1))
        explained.append(nats.where(known[part].cpu(), 0).flatten(1).sum(1))
    log_prob, known_log_prob = (torch.cat(each).view(-1, count) for each in (whole, explained))
    order = log_prob.argsort(dim=1, descending=True, stable=True)
    x = rearrange(x.cpu(), "(b m) c h w -> b m c h w", m=count)
    return Completions(
        images=torch.stack([each[places] for each, places in zip(x, order, strict=True)]),
        log_prob=log_prob.gather(1, order),
        known_log_prob=known_log_prob.gather(1, order),
        known=query.known.cpu(),
        method=method,
        diagnostics=diagnostics or {},
        warnings=warnings,
    )


def image_numbers(where: Tensor) -> str:
    """The images for which a flag (B,) is true, in words.

    Example:
        >>> image_numbers(torch.tensor([True, False, True]))
        'images 0, 2'
        >>> image_numbers(torch.ones(12).bool())
        'images 0, 1, 2, 3, 4, 5, 6, 7 and 4 more'
    """
    found = where.nonzero().flatten().tolist()
    shown, rest = found[:8], len(found) - 8
    listed = ", ".join(map(str, shown)) + (f" and {rest} more" if rest > 0 else "")
    return f"{'images' if len(found) > 1 else 'image'} {listed}"


def raster_completions(query: Query, num_completions: int) -> Completions:
    """Samples the unknown sub-pixels in raster order, given what is known before them.

    Exact where everything known comes before everything unknown. Elsewhere the sub-pixels known
    further on do not inform the samples; `diagnostics["ess"]` is their effective sample size if
    they are weighted by these, and a warning names the images.

    Args:
        query: Of any number of images.
        num_completions: M, of each.
    """
    x, log_weights = sample_unknown(query, num_completions)
    blind = ~is_prefix(query.known.cpu())
    warnings: tuple[str, ...] = ()
    if blind.any():
        warnings = (
            f"Unreliable: 'raster' does not see what is known further on in the order "
            f"({image_numbers(blind)}), so these are not samples given all that is known. Use "
            f"'smc' or 'gibbs'.",
        )
    return rank_completions(
        query,
        x.unflatten(0, (-1, num_completions)),
        method="raster",
        diagnostics={"ess": effective_sample_size(log_weights.cpu().view(-1, num_completions))},
        warnings=warnings,
    )
