"""What an image model can be conditioned on, and how that becomes biases."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from pixelcnn.errors import ConfigError, ShapeError
from pixelcnn.nn.cursor import Cursor


@dataclass(frozen=True)
class Condition:
    """The kind of condition a model takes: at most one of these is set.

    Attributes:
        num_labels: `cond` is class labels, int64 (B,).
        num_attributes: `cond` is attribute vectors, floats (B, A).
        num_map_channels: `cond` is spatial maps, floats (B, A, H, W).
        label_dropout: Share of labels that training leaves out. Above 0 one more label, the
            number `num_labels`, stands for none, and `cond` may be None.
    """

    num_labels: int | None = None
    num_attributes: int | None = None
    num_map_channels: int | None = None
    label_dropout: float = 0.0

    def __post_init__(self) -> None:
        given = self._given()
        if len(given) > 1:
            raise ConfigError(
                f"A model takes one kind of condition, got {' and '.join(map(repr, given))}."
            )
        for name, value in given.items():
            if value < 1:
                raise ConfigError(f"`{name}` must be at least 1, got {value}.")
        if not 0 <= self.label_dropout < 1:
            raise ConfigError(
                f"`label_dropout` must be at least 0 and below 1, got {self.label_dropout}."
            )
        if self.label_dropout and self.num_labels is None:
            raise ConfigError(
                f"`label_dropout` leaves out labels: it needs `num_labels`, got "
                f"{' and '.join(map(repr, given)) or 'no condition'}."
            )

    def _given(self) -> dict[str, int]:
        kinds = ("num_labels", "num_attributes", "num_map_channels")
        return {name: vars(self)[name] for name in kinds if vars(self)[name] is not None}

    @property
    def is_none(self) -> bool:
        """Whether the model is unconditional."""
        return not self._given()

    @property
    def is_optional(self) -> bool:
        """Whether a conditional model also serves without a condition."""
        return self.label_dropout > 0

    def check(self, cond: Tensor | None, x: Tensor) -> None:
        """Raises `ShapeError` unless `cond` fits this kind and the images (B, C, H, W)."""
        if self.is_none:
            if cond is not None:
                raise ShapeError("This model is unconditional: `cond` must be None.")
            return
        if cond is None:
            if self.is_optional:
                return
            raise ShapeError(f"This model needs `cond`: {self.describe()}.")
        batch, _, height, width = x.shape
        want: tuple[int, ...]
        if self.num_labels is not None:
            want = (batch,)
        elif self.num_attributes is not None:
            want = (batch, self.num_attributes)
        else:
            assert self.num_map_channels is not None
            want = (batch, self.num_map_channels, height, width)
        if tuple(cond.shape) != want:
            raise ShapeError(
                f"`cond` must be {self.describe()}, here of shape {want}, "
                f"got shape {tuple(cond.shape)}."
            )
        if self.num_labels is not None:
            _check_labels(cond, self.num_labels)

    def check_guidance(self, guidance: float) -> None:
        """Raises `ConfigError` unless the model can be drawn from with that guidance."""
        if not 0 <= guidance < float("inf"):
            raise ConfigError(f"`guidance` must be at least 0 and finite, got {guidance}.")
        if guidance == 1 or self.is_optional:
            return
        if self.num_labels is None:
            raise ConfigError(f"`guidance` must be 1 for a model without labels, got {guidance}.")
        raise ConfigError(
            f"`guidance` must be 1 for a model that cannot do without its labels, got {guidance}. "
            f"Train it with `label_dropout`, for example 0.1."
        )

    def drop(self, cond: Tensor | None) -> Tensor | None:
        """Replaces labels (B,) at random by the one that stands for none, as training does."""
        if cond is None or not self.is_optional:
            return cond
        assert self.num_labels is not None
        dropped = torch.rand(len(cond), device=cond.device) < self.label_dropout
        return cond.long().masked_fill(dropped, self.num_labels)

    def describe(self) -> str:
        """What `cond` must be, in words."""
        if self.num_labels is not None:
            label = f"one label per image, an integer from 0 to {self.num_labels - 1}"
            return f"{label}, or None for no label" if self.is_optional else label
        if self.num_attributes is not None:
            return f"a vector of {self.num_attributes} attributes per image"
        if self.num_map_channels is not None:
            return f"a map of {self.num_map_channels} channels per image, as large as the image"
        return "None"


def _check_labels(cond: Tensor, num_labels: int) -> None:
    if cond.is_floating_point() or cond.dtype == torch.bool:
        raise ShapeError(f"Labels must be integers, got dtype {cond.dtype}.")
    if cond.numel() and (cond.min() < 0 or cond.max() >= num_labels):
        raise ShapeError(
            f"Labels must be from 0 to {num_labels - 1}, got values from "
            f"{cond.min().item()} to {cond.max().item()}."
        )


class ConditionBias(nn.Module):
    """Turns a condition into a bias for features, the same at every pixel or one for each.

    Args:
        condition: The kind of condition. If it is optional, the last row of `weight` is the bias
            of no label.
        features: Features per pixel to bias.

    References:
        Conditional Image Generation with PixelCNN Decoders (van den Oord et al., 2016),
        section 2.3. https://arxiv.org/abs/1606.05328
    """

    def __init__(self, condition: Condition, features: int) -> None:
        super().__init__()
        self.is_map = condition.num_map_channels is not None
        self.is_label = condition.num_labels is not None
        inputs = condition.num_labels or condition.num_attributes or condition.num_map_channels
        if inputs is None:
            raise ConfigError("`ConditionBias` needs a condition; an unconditional model has none.")
        self.is_optional = condition.is_optional
        self.features = features
        # The bias starts at zero: an untrained condition changes nothing.
        self.weight = nn.Parameter(torch.zeros(inputs + condition.is_optional, features))

    def forward(self, cond: Tensor | None, cursor: Cursor | None = None) -> Tensor:
        """Maps `cond` to (B, 1, 1, D) or (B, H, W, D); at a front to (R × B, D / groups).

        No label is mapped to (1, 1, 1, D).
        """
        if cursor is None:
            return self._whole(cond)
        planes = self._planes(cond, cursor)
        pixels = cursor.front.pixels_of(planes)[:, :, cursor.run(self.features)]
        return rearrange(pixels, "r b d -> (r b) d") if len(pixels) > 1 else pixels[0]

    def of_rows(self, cond: Tensor | None, cursor: Cursor | None = None) -> Tensor:
        """Maps `cond` as `forward` does; with a cursor, to its whole row (B, W, D)."""
        if cursor is None:
            return self._whole(cond)
        return rearrange(self._planes(cond, cursor)[:, :, cursor.front.row], "b d w -> b w d")

    def _planes(self, cond: Tensor | None, cursor: Cursor) -> Tensor:
        planes: Tensor | None = cursor.caches.get(self)
        if planes is None:
            size = cursor.height, cursor.width
            bias = rearrange(self._whole(cond), "b h w d -> b d h w")
            planes = cursor.caches[self] = bias.expand(cursor.batch_size, -1, *size)
        return planes

    def _whole(self, cond: Tensor | None) -> Tensor:
        if cond is None:
            if not self.is_optional:
                raise ShapeError("This model needs `cond`, got None.")
            return self.weight[-1:, None, None]
        if self.is_label:
            return F.embedding(cond.long(), self.weight)[:, None, None]
        if self.is_map:
            planes = rearrange(cond, "b a h w -> b h w a")
            return planes.to(self.weight.dtype) @ self.weight
        return (cond.to(self.weight.dtype) @ self.weight)[:, None, None]
