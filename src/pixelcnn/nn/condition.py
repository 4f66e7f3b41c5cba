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
    """

    num_labels: int | None = None
    num_attributes: int | None = None
    num_map_channels: int | None = None

    def __post_init__(self) -> None:
        given = {name: value for name, value in vars(self).items() if value is not None}
        if len(given) > 1:
            raise ConfigError(
                f"A model takes one kind of condition, got {' and '.join(map(repr, given))}."
            )
        for name, value in given.items():
            if value < 1:
                raise ConfigError(f"`{name}` must be at least 1, got {value}.")

    @property
    def is_none(self) -> bool:
        """Whether the model is unconditional."""
        return all(value is None for value in vars(self).values())

    def check(self, cond: Tensor | None, x: Tensor) -> None:
        """Raises `ShapeError` unless `cond` fits this kind and the images (B, C, H, W)."""
        if self.is_none:
            if cond is not None:
                raise ShapeError("This model is unconditional: `cond` must be None.")
            return
        if cond is None:
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

    def describe(self) -> str:
        """What `cond` must be, in words."""
        if self.num_labels is not None:
            return f"one label per image, an integer from 0 to {self.num_labels - 1}"
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
        condition: The kind of condition.
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
        self.features = features
        # The bias starts at zero: an untrained condition changes nothing.
        self.weight = nn.Parameter(torch.zeros(inputs, features))

    def forward(self, cond: Tensor, cursor: Cursor | None = None) -> Tensor:
        """Maps `cond` to (B, 1, 1, D) or (B, H, W, D); at a front to (R × B, D / groups)."""
        if cursor is None:
            return self._whole(cond)
        planes = self._planes(cond, cursor)
        pixels = cursor.front.pixels_of(planes)[:, :, cursor.run(self.features)]
        return rearrange(pixels, "r b d -> (r b) d") if len(pixels) > 1 else pixels[0]

    def of_rows(self, cond: Tensor | None, cursor: Cursor | None = None) -> Tensor:
        """Maps `cond` as `forward` does; with a cursor, to its whole row (B, W, D)."""
        assert cond is not None, "a conditional model needs `cond`"
        if cursor is None:
            return self._whole(cond)
        return rearrange(self._planes(cond, cursor)[:, :, cursor.front.row], "b d w -> b w d")

    def _planes(self, cond: Tensor, cursor: Cursor) -> Tensor:
        planes: Tensor | None = cursor.caches.get(self)
        if planes is None:
            size = cursor.height, cursor.width
            bias = rearrange(self._whole(cond), "b h w d -> b d h w")
            planes = cursor.caches[self] = bias.expand(-1, -1, *size)
        return planes

    def _whole(self, cond: Tensor) -> Tensor:
        if self.is_label:
            return F.embedding(cond.long(), self.weight)[:, None, None]
        if self.is_map:
            planes = rearrange(cond, "b a h w -> b h w a")
            return planes.to(self.weight.dtype) @ self.weight
        return (cond.to(self.weight.dtype) @ self.weight)[:, None, None]
