"""What an image is: integer levels in [0, K), shape (B, C, H, W).

The only code that turns levels into floats and back.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pixelcnn.arguments import check_tensor, named_arguments, whole_number
from pixelcnn.errors import ConfigError, ShapeError

MAX_LEVELS = 65_536


def to_unit(x: Tensor, levels: int, *, dtype: torch.dtype = torch.float32) -> Tensor:
    """Maps levels 0 … K-1 evenly onto [0, 1].

    Example:
        >>> to_unit(torch.tensor([0, 1, 2]), 3)
        tensor([0.0000, 0.5000, 1.0000])
    """
    return x.to(dtype) / (levels - 1)


def to_signed(x: Tensor, levels: int, *, dtype: torch.dtype = torch.float32) -> Tensor:
    """Maps levels 0 … K-1 evenly onto [-1, 1], as networks read them.

    Example:
        >>> to_signed(torch.tensor([0, 1, 2]), 3)
        tensor([-1.,  0.,  1.])
    """
    # In 32 bits at least: 16 bits cannot separate neighbouring levels on the way.
    wide = torch.promote_types(dtype, torch.float32)
    return (x.to(wide) * (2 / (levels - 1)) - 1).to(dtype)


def to_steps(x: Tensor, levels: int, *, dtype: torch.dtype = torch.float32) -> Tensor:
    """Maps levels 0 … K-1 to their distance from the middle, in steps, exactly.

    Example:
        >>> to_steps(torch.tensor([0, 1, 2, 3]), 4)
        tensor([-1.5000, -0.5000,  0.5000,  1.5000])
    """
    return x.to(dtype) - (levels - 1) / 2


@named_arguments
def quantise(unit: Tensor, levels: int) -> Tensor:
    """Maps floats in [0, 1] to the nearest of K levels, the inverse of `to_unit`.

    Args:
        unit: Floats in [0, 1]. Any shape.
        levels: Number of levels K, from 2 to 65,536.

    Returns:
        Levels. The same shape, int64.

    Raises:
        ShapeError: If `unit` is no tensor of floats, or a value is outside [0, 1] or not a number.
        ConfigError: If `levels` is no whole number from 2 to 65,536.

    Example:
        >>> quantise(torch.tensor([0.0, 0.24, 0.26, 1.0]), 3)
        tensor([0, 0, 1, 2])
    """
    check_tensor("unit", unit, "floats in [0, 1]")
    if not unit.is_floating_point():
        is_bool = unit.dtype == torch.bool
        advice = (
            "Use `unit.long()`."
            if is_bool
            else "Integers are levels already: use them as they are."
        )
        raise ShapeError(f"`unit` must hold floats in [0, 1], got dtype {unit.dtype}. {advice}")
    if not 2 <= whole_number("levels", levels, at_least=None) <= MAX_LEVELS:
        raise ConfigError(f"`levels` must be from 2 to {MAX_LEVELS}, got {levels!r}.")
    if not unit.numel():
        return unit.long()
    # Lower precision than float32 would round twice.
    unit = unit if unit.dtype == torch.float64 else unit.float()
    # Written so that NaN, for which every comparison is false, is refused.
    if not bool(((unit >= 0) & (unit <= 1)).all()):
        raise ShapeError(
            f"Floats must lie in [0, 1] to be quantised, got values from "
            f"{unit.min().item():g} to {unit.max().item():g}. Divide 8-bit data by 255 first."
        )
    return (unit * (levels - 1)).round().long()


def requantise(x: Tensor, levels: int, *, to: int) -> Tensor:
    """Maps K levels to the nearest of another number of levels, in integers, halves upwards.

    Args:
        x: Levels in [0, levels). Any shape.
        levels: Number of levels of `x`.
        to: Number of levels of the result.

    Returns:
        Levels in [0, to). The same shape, int64.

    Example:
        >>> requantise(torch.tensor([0, 127, 128, 255]), 256, to=2)
        tensor([0, 0, 1, 1])
    """
    steps = levels - 1
    return (2 * x.long() * (to - 1) + steps) // (2 * steps)


FLOAT_RANGES = ("[0, 1]", "[-1, 1]")
"""Ranges of float images: what torchvision's `ToTensor` gives, and the same normalised."""


class FloatReader:
    """Turns the batches of one loader into levels: integers as they are, floats by their range.

    Floats are taken for levels of [0, 1] or of [-1, 1] when all values lie on the K even steps of
    exactly one of these ranges. Each batch narrows down which one it is.

    Args:
        levels: Number of levels K.

    Example:
        >>> reader = FloatReader(256)
        >>> reader(torch.tensor([0, 51, 255]) / 255)
        tensor([  0,  51, 255])
        >>> reader.protocol
        'floats in [0, 1] read as 256 levels'
    """

    def __init__(self, levels: int) -> None:
        self.levels = levels
        self._ranges: tuple[str, ...] | None = None  # that fit all batches of floats so far

    @property
    def protocol(self) -> str | None:
        """What was assumed of the floats; None where all batches held integers."""
        if self._ranges is None:
            return None
        return f"floats in {self._ranges[0]} read as {self.levels} levels"

    def observe(self, x: Tensor) -> None:
        """Takes note of a batch.

        Raises:
            ShapeError: If no range holds this batch and those before it.
        """
        if not x.is_floating_point():
            return
        before = FLOAT_RANGES if self._ranges is None else self._ranges
        fitting = tuple(name for name in before if self._steps(x, name) is not None)
        if not fitting:
            raise ShapeError(self._refusal(x, before))
        self._ranges = fitting

    def __call__(self, x: Tensor) -> Tensor:
        """Levels of a batch, of the same shape; int64 for floats, else `x` itself.

        Raises:
            ShapeError: If the floats of the batches so far fit no range, or both.
        """
        self.observe(x)
        if not x.is_floating_point() or self._ranges is None:
            return x
        if len(self._ranges) > 1:
            raise ShapeError(
                f"Float images must show whether they lie in [0, 1] or in [-1, 1], but all their "
                f"values are levels of both. {self._ways_out()}"
            )
        found = self._steps(x, self._ranges[0])
        assert found is not None  # observed
        return found

    def _steps(self, x: Tensor, name: str) -> Tensor | None:
        """Floats as levels; None unless all of them are levels of this range."""
        wide = x if x.dtype == torch.float64 else x.float()
        top = self.levels - 1
        steps = wide * top if name == "[0, 1]" else (wide + 1) * (top / 2)
        nearest = steps.round()
        tolerance = max(1e-3, top * torch.finfo(x.dtype).eps)
        # Written so that NaN, for which every comparison is false, fits nowhere.
        is_level = ((steps - nearest).abs() <= tolerance) & (nearest >= 0) & (nearest <= top)
        return nearest.long() if tolerance < 0.25 and bool(is_level.all()) else None

    def _refusal(self, x: Tensor, before: tuple[str, ...]) -> str:
        ranges = " or ".join(f"of {name}" for name in before)
        return (
            f"Float images must be the {self.levels} levels of the model on the even steps "
            f"{ranges}, got {x.dtype} values from {x.min().item():g} to {x.max().item():g} "
            f"that are not. {self._ways_out()}"
        )

    def _ways_out(self) -> str:
        threshold = " or threshold them by `(x > 0.5).long()`" if self.levels == 2 else ""
        return (
            f"Yield integer levels instead: apply `pixelcnn.quantise(x, {self.levels})` to floats "
            f"in [0, 1] (after `(x + 1) / 2` for [-1, 1], `x / 255` for [0, 255], and the inverse "
            f"of any other normalisation){threshold}."
        )


@named_arguments
@dataclass(frozen=True)
class ImageSpec:
    """Shape and levels of one image.

    Attributes:
        channels: C, 1 for grey or codes, 3 for RGB, or any other number.
        height: H, rows.
        width: W, columns.
        levels: K, from 2 to 65,536.
    """

    channels: int
    height: int
    width: int
    levels: int

    def __post_init__(self) -> None:
        for name in ("channels", "height", "width"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ConfigError(f"`{name}` must be a whole number of at least 1, got {value!r}.")
        if not isinstance(self.levels, int) or not 2 <= self.levels <= MAX_LEVELS:
            raise ConfigError(f"`levels` must be from 2 to {MAX_LEVELS}, got {self.levels!r}.")

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        return self.channels, self.height, self.width

    @property
    def num_dims(self) -> int:
        """Sub-pixels in an image, the D of bits per dimension."""
        return self.channels * self.height * self.width

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types, as checkpoints store them."""
        return {
            "channels": self.channels,
            "height": self.height,
            "width": self.width,
            "levels": self.levels,
        }

    def check(self, x: Tensor) -> None:
        """Raises `ShapeError` unless `x` is a batch of such images: integers (B, C, H, W)."""
        if x.ndim != 4 or tuple(x.shape[1:]) != self.shape:
            raise ShapeError(
                f"Images must have shape (B, {', '.join(map(str, self.shape))}), "
                f"got {tuple(x.shape)}."
            )
        check_levels(x, self.levels)


def check_integers(x: Tensor, levels: int, *, name: str = "x") -> None:
    """Raises `ShapeError` unless `x`, an argument of that name, holds integers, for levels."""
    if x.is_floating_point() or x.is_complex() or x.dtype == torch.bool:
        advice = f"Use `pixelcnn.quantise({name}, {levels})` on floats in [0, 1]."
        if x.dtype == torch.bool:
            advice = f"Use `{name}.long()`."
        raise ShapeError(
            f"`{name}` must hold integer levels in [0, {levels}), got dtype {x.dtype}. {advice}"
        )


def check_levels(x: Tensor, levels: int, *, name: str = "x") -> None:
    """Raises `ShapeError` unless `x`, an argument of that name, holds integers in [0, levels)."""
    check_integers(x, levels, name=name)
    # As Python numbers: a uint8 tensor compared with 256 would compare with 0.
    low, high = (int(x.min()), int(x.max())) if x.numel() else (0, 0)
    if low < 0 or high >= levels:
        raise ShapeError(
            f"`{name}` must hold integer levels in [0, {levels}), got values from {low} to {high}."
        )


def as_levels(x: Tensor, levels: int) -> Tensor:
    """Levels as they are; floats 0 and 1 of binary images as levels.

    Example:
        >>> as_levels(torch.tensor([0.0, 1.0]), 2)
        tensor([0, 1])
    """
    if levels == 2 and x.is_floating_point() and bool(((x == 0) | (x == 1)).all()):
        return x.long()
    return x
