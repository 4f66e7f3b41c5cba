"""What every question about images has in common: a model, what is known, and how to work."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import signature
from typing import Any, TypeAlias, TypeVar

import torch
from torch import Tensor

from pixelcnn.errors import ConfigError, ShapeError
from pixelcnn.inference.masks import fit_mask
from pixelcnn.models import AutoregressiveModel, Cond
from pixelcnn.order import RasterOrder, Site

Progress: TypeAlias = Callable[[int, int], object]
"""Told the number of parts of the work that are done, and of all parts."""

M = TypeVar("M", bound=Callable[..., Any])


@dataclass(frozen=True)
class Question:
    """Images of which something is known, and the model that is asked about the rest.

    Attributes:
        model: Any architecture.
        given: Levels; zero where nothing is known. (B, C, H, W), int64, on the model's device.
        known: True where known. (B, C, H, W), bool.
        cond: As the model takes it, one entry per image.
        seed: Decides whatever is drawn.
        batch_size: Images walked together, at most: it bounds the memory.
        progress: Told how far the work is.
    """

    model: AutoregressiveModel
    given: Tensor
    known: Tensor
    cond: Tensor | None
    seed: int
    batch_size: int
    progress: Progress | None

    def repeated(self, count: int) -> tuple[Tensor, Tensor, Tensor | None]:
        """Images, mask and condition `count` times: those of the first image come first."""
        cond = None if self.cond is None else self.cond.repeat_interleave(count, 0)
        given, known = (t.repeat_interleave(count, 0) for t in (self.given, self.known))
        return given, known, cond

    def order(self) -> RasterOrder:
        """The order of the sub-pixels of one image."""
        _, channels, height, width = self.given.shape
        return RasterOrder(channels, height, width)

    def report(self, done: int, total: int) -> None:
        """Tells the progress, if somebody listens."""
        if self.progress is not None:
            self.progress(done, total)


def ask(
    model: AutoregressiveModel,
    given: Tensor,
    known: Tensor,
    *,
    name: str = "given",
    cond: Cond = None,
    seed: int = 0,
    batch_size: int = 256,
    progress: Progress | None = None,
) -> Question:
    """A question, checked.

    Args:
        model: Any architecture.
        given: Levels. (C, H, W) or (B, C, H, W); what it holds where nothing is known is not read.
        known: True where known. (H, W), (C, H, W) or (B, C, H, W), bool.
        name: What `given` is called where the question was asked, for messages.
        cond: As the model takes it; one entry stands for all images.
        seed: From 0 to 2**64 - 1.
        batch_size: Images walked together, at most.
        progress: Told how far the work is.

    Raises:
        ShapeError: If `given`, `known` or `cond` does not fit, a known level is out of range, or
            `batch_size` is below 1.
        ConfigError: If `seed` is out of range.
    """
    if not 0 <= seed < 2**64:
        raise ConfigError(f"`seed` must be from 0 to 2**64 - 1, got {seed}.")
    if batch_size < 1:
        raise ShapeError(f"`batch_size` must be at least 1, got {batch_size}.")
    if given.is_floating_point() or given.dtype == torch.bool:
        raise ShapeError(
            f"`{name}` must hold integer levels in [0, {model.num_classes}), got dtype "
            f"{given.dtype}. Use `quantise(x, {model.num_classes})` on floats in [0, 1]."
        )
    given = (given[None] if given.ndim == 3 else given).to(model.device, torch.int64)
    if given.ndim != 4 or given.shape[1] != model.in_channels or given.numel() == 0:
        raise ShapeError(
            f"`{name}` must have shape (C, H, W) or (B, C, H, W) with C = {model.in_channels}, got "
            f"{tuple(given.shape)}."
        )
    known = fit_mask(known, given)
    # Unknown levels are no part of the question: neither their range nor their value matters.
    given = given.where(known, 0)
    low, high = int(given.min()), int(given.max())
    if low < 0 or high >= model.num_classes:
        raise ShapeError(
            f"`{name}` must hold levels in [0, {model.num_classes}) where it is known, got "
            f"{low if low < 0 else high}."
        )
    cond = model.prepare_cond(cond, len(given))
    model.check(given, cond)
    return Question(model, given, known, cond, seed, batch_size, progress)


def find_site(site: Sequence[int], shape: Sequence[int]) -> Site:
    """One sub-pixel of images of a shape (C, H, W).

    Args:
        site: (channel, row, column); (row, column) will do where there is one channel.
        shape: (C, H, W).

    Raises:
        ShapeError: If it is outside the image.

    Example:
        >>> tuple(find_site((14, 13), (1, 28, 28)))
        (0, 14, 13)
    """
    place = (0, *site) if len(site) == 2 and shape[0] == 1 else tuple(site)
    if len(place) != 3 or not all(0 <= i < size for i, size in zip(place, shape, strict=True)):
        raise ShapeError(
            f"`site` must be (channel, row, column) with 0 ≤ channel < {shape[0]}, "
            f"0 ≤ row < {shape[1]} and 0 ≤ column < {shape[2]}, got {tuple(site)}."
        )
    return Site(*place)


def choose_method(methods: Mapping[str, M], name: str, options: Mapping[str, Any]) -> M:
    """The method of a name, if it takes the options.

    Raises:
        ConfigError: If there is no such method, or it takes no such option.
    """
    if name not in methods:
        raise ConfigError(f"`method` must be one of {', '.join(methods)}, got '{name}'.")
    method = methods[name]
    taken = [
        key for key, each in signature(method).parameters.items() if each.kind == each.KEYWORD_ONLY
    ]
    for key in options:
        if key not in taken:
            raise ConfigError(
                f"The method '{name}' takes no `{key}`; it takes "
                f"{', '.join(f'`{each}`' for each in taken) or 'no options'}."
            )
    return method


@contextmanager
def evaluating(model: AutoregressiveModel) -> Iterator[None]:
    """Without gradients, dropout or the statistics of a batch; afterwards as it was before."""
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        model.train(was_training)
