"""A query: images, what is known of them, the model, and how to compute."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from inspect import Parameter, signature
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import torch
from torch import Tensor

from pixelcnn.arguments import (
    check_choice,
    check_tensor,
    real_number,
    seed_number,
    to_wholes,
    whole_number,
)
from pixelcnn.errors import ConfigError, ShapeError, suggestion
from pixelcnn.inference.masks import fit_mask
from pixelcnn.models import AutoregressiveModel, Cond
from pixelcnn.order import RasterOrder, Site
from pixelcnn.spec import check_integers

Progress: TypeAlias = Callable[[int, int], object]
"""Called with the number of parts of the work that are done, and of all."""

A = TypeVar("A")


@dataclass(frozen=True)
class Query:
    """Images with known and unknown sub-pixels, and a model of them.

    Attributes:
        model: Any architecture.
        given: Levels; zero where nothing is known. (B, C, H, W), int64, on the model's device.
        known: True where known. (B, C, H, W), bool.
        cond: As the model takes it, one entry per image.
        seed: Decides all samples.
        batch_size: Images walked together, at most: it bounds the memory.
        progress: Called with the work that is done, and all.
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
        """Reports the progress, if there is a callback."""
        if self.progress is not None:
            self.progress(done, total)


def make_query(
    model: AutoregressiveModel,
    given: Tensor,
    known: Tensor,
    *,
    name: str = "given",
    cond: Cond = None,
    seed: int = 0,
    batch_size: int = 256,
    progress: Progress | None = None,
) -> Query:
    """Checks its arguments and makes a query.

    Args:
        model: Any architecture.
        given: Levels. (C, H, W) or (B, C, H, W); what it holds where nothing is known is not read.
        known: True where known. (H, W), (C, H, W) or (B, C, H, W), bool.
        name: Name of `given` in error messages.
        cond: As the model takes it; a single entry is that of all images.
        seed: From 0 to 2**64 - 1.
        batch_size: Images walked together, at most.
        progress: Called with the work that is done, and all.

    Raises:
        ShapeError: If `given`, `known` or `cond` does not fit, or a known level is out of range.
        ConfigError: If `model` is none, or `seed` or `batch_size` is out of range.
    """
    check_model(model)
    seed, batch_size = seed_number(seed), whole_number("batch_size", batch_size)
    check_tensor(name, given, "integer levels")
    check_integers(given, model.num_classes, name=name)
    given = (given[None] if given.ndim == 3 else given).to(model.device, torch.int64)
    if given.ndim != 4 or given.shape[1] != model.in_channels or given.numel() == 0:
        raise ShapeError(
            f"`{name}` must have shape (C, H, W) or (B, C, H, W) with C = {model.in_channels}, got "
            f"{tuple(given.shape)}."
        )
    known = fit_mask(known, given)
    # Neither the range nor the value of unknown levels matters.
    given = given.where(known, 0)
    low, high = int(given.min()), int(given.max())
    if low < 0 or high >= model.num_classes:
        raise ShapeError(
            f"`{name}` must hold levels in [0, {model.num_classes}) where it is known, got "
            f"{low if low < 0 else high}."
        )
    cond = model.prepare_cond(cond, len(given))
    model.check(given, cond, name=name)
    return Query(model, given, known, cond, seed, batch_size, progress)


def check_model(model: object) -> None:
    """Raises `ConfigError` unless it is a model; a name of one is not."""
    if not isinstance(model, AutoregressiveModel):
        is_name = isinstance(model, str | Path)
        advice = f' Use `pixelcnn.load("{model}")`.' if is_name else ""
        raise ConfigError(f"`model` must be a model, got {model!r}.{advice}")


def prepare_images(
    model: AutoregressiveModel, images: Tensor, cond: Cond, batch_size: int
) -> tuple[Tensor | None, int]:
    """The condition of each image, (N, …) or None, and the batch size, once all fit the model."""
    check_model(model)
    check_tensor("images", images, "integer levels")
    if images.ndim != 4 or not images.numel():
        raise ShapeError(
            f"`images` must be levels (N, C, H, W) of at least one image, got shape "
            f"{tuple(images.shape)}."
        )
    cond = model.prepare_cond(cond, len(images))
    model.check(images, cond, name="images")
    return cond, whole_number("batch_size", batch_size)


def check_nats(nats: Tensor) -> None:
    """Raises `ConfigError` if the log-probabilities of a model are no numbers."""
    if nats.isnan().any():
        raise ConfigError(
            f"`model` must give log-probabilities that are numbers, got NaN for "
            f"{int(nats.isnan().sum()):,} of {nats.numel():,}: its weights are so large that its "
            f"features overflow. Train it again with a lower learning rate."
        )


def checked_nats(model: AutoregressiveModel, x: Tensor, cond: Any) -> Tensor:
    """`site_log_prob` in evaluation mode and without gradients, of arguments that fit.

    Raises:
        ConfigError: As `check_nats`.
    """
    with evaluating(model):
        nats = model.site_log_prob(x, cond, check=False)
    check_nats(nats)
    return nats


def resolve_site(site: Sequence[int], shape: Sequence[int]) -> Site:
    """One sub-pixel of images of a shape (C, H, W).

    Args:
        site: (channel, row, column); or (row, column) where there is one channel.
        shape: (C, H, W).

    Raises:
        ShapeError: If it is outside the image.

    Example:
        >>> tuple(resolve_site((14, 13), (1, 28, 28)))
        (0, 14, 13)
    """
    found = to_wholes(site) or ()
    place = (0, *found) if len(found) == 2 and shape[0] == 1 else found
    if len(place) != 3 or not all(0 <= i < size for i, size in zip(place, shape, strict=True)):
        raise ShapeError(
            f"`site` must be (channel, row, column) with 0 ≤ channel < {shape[0]}, "
            f"0 ≤ row < {shape[1]} and 0 ≤ column < {shape[2]}, got {found or site!r}."
        )
    return Site(*place)


def choose_method(
    methods: Mapping[str, Callable[..., A]],
    name: str,
    options: Mapping[str, Any],
    caller: Callable[..., Any],
) -> "partial[A]":
    """The method of a name, with its options.

    Args:
        methods: All methods.
        name: Of the method.
        options: As the user gave them.
        caller: The function that took them: a wrong option may be meant for one of its arguments.

    Raises:
        ConfigError: If there is no such method, it takes no such option, or an option is no
            number where it must be one.
    """
    check_choice("method", name, methods)
    method = methods[name]
    taken = {
        key: each
        for key, each in signature(method).parameters.items()
        if each.kind == each.KEYWORD_ONLY
    }
    own = [
        key for key, each in signature(caller).parameters.items() if each.kind != each.VAR_KEYWORD
    ]
    for key in options:
        if key not in taken:
            raise ConfigError(
                f"The method '{name}' takes no `{key}`; it takes "
                f"{', '.join(f'`{each}`' for each in taken) or 'no options'}."
                f"{suggestion(key, [*taken, *own])}"
            )
    return partial(method, **{key: _number(taken[key], value) for key, value in options.items()})


def _number(option: Parameter, value: Any) -> Any:
    """The value of an option, as the int or float that its method takes."""
    if option.annotation is int or (option.annotation == int | None and value is not None):
        return whole_number(option.name, value, at_least=None)
    return real_number(option.name, value) if option.annotation is float else value


@contextmanager
def evaluating(model: AutoregressiveModel) -> Iterator[None]:
    """In evaluation mode and without gradients; restores the mode of the model."""
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        model.train(was_training)
