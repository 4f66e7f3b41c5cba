"""What an image model can be conditioned on, and how that becomes biases."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from pixelcnn.arguments import check_share
from pixelcnn.errors import ConfigError, ShapeError
from pixelcnn.nn.cursor import Cursor

KINDS = {"num_labels": "labels", "num_attributes": "attributes", "num_map_channels": "maps"}

MAX_GUIDANCE = 1e6
"""Far past any use, and far from the end of single precision."""


@dataclass(frozen=True)
class Condition:
    """The kind of condition a model takes: at most one of these is set.

    Attributes:
        num_labels: `cond` is class labels, int64 (B,).
        num_attributes: `cond` is attribute vectors, floats (B, A).
        num_map_channels: `cond` is spatial maps, floats (B, A, H, W).
        label_dropout: Share of labels, attribute vectors or maps that training leaves out. Above 0
            `cond` may be None, for which one more label, attribute or channel stands inside.
        names: What the labels or attributes are called, for messages; None if they have no names.
    """

    num_labels: int | None = None
    num_attributes: int | None = None
    num_map_channels: int | None = None
    label_dropout: float = 0.0
    names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        given = self._given()
        if len(given) > 1:
            names = " and ".join(f"`{name}`" for name in given)
            raise ConfigError(f"At most one condition can be set, got {names}. Choose one.")
        for name, value in given.items():
            if value < 1:
                raise ConfigError(f"`{name}` must be at least 1, got {value}.")
        check_share("label_dropout", self.label_dropout)
        if len(self.names or ()) > self.count:
            raise ConfigError(
                f"There must be at most one name for each of {self.count} {self.kind}, got "
                f"{', '.join(self.names or ())}."
            )
        if self.label_dropout and not given:
            raise ConfigError(
                f"`label_dropout` needs `num_labels`, `num_attributes` or `num_map_channels`, got "
                f"{self.label_dropout} without them."
            )

    def _given(self) -> dict[str, int]:
        values = {name: getattr(self, name) for name in KINDS}  # older compilers know no `vars`
        return {name: value for name, value in values.items() if value is not None}

    @property
    def kind(self) -> str | None:
        """What data call this condition: "labels", "attributes" or "maps"; None for none."""
        given = list(self._given())
        return KINDS[given[0]] if given else None

    @property
    def count(self) -> int:
        """Number of labels, of attributes or of map channels; 0 for no condition."""
        return sum(self._given().values())

    @property
    def every_name(self) -> list[str]:
        """One for each label or attribute: its name as far as there are names, then numbers."""
        names = self.names or ()
        return [*names, *(str(number) for number in range(len(names), self.count))]

    @property
    def num_axes(self) -> int:
        """Axes of the condition of one image."""
        return {"attributes": 1, "maps": 3}.get(self.kind or "labels", 0)

    def shape(self, x: Tensor) -> tuple[int, ...]:
        """Shape of the condition of images (B, C, H, W)."""
        return (len(x), self.count, *x.shape[2:])[: 1 + self.num_axes]

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
        want = self.shape(x)
        if tuple(cond.shape) != want:
            of_size = cond.shape[1:2] == want[1:2] and self.num_map_channels is not None
            advice = " Scale the maps, or ask for images of their size." if of_size else ""
            raise ShapeError(
                f"`cond` must be {self.describe()}, here of shape {want}, "
                f"got shape {tuple(cond.shape)}.{advice}"
            )
        if self.num_labels is not None:
            self._check_labels(cond, self.num_labels)
        elif not cond.isfinite().all():
            raise ShapeError(f"`cond` must be {self.describe()}, all of them finite numbers.")

    def check_guidance(self, guidance: float) -> None:
        """Raises `ConfigError` unless the model can be sampled with that guidance."""
        if not 0 <= guidance <= MAX_GUIDANCE:
            raise ConfigError(f"`guidance` must be from 0 to {MAX_GUIDANCE:g}, got {guidance}.")
        if guidance == 1 or self.is_optional:
            return
        if self.is_none:
            raise ConfigError(f"`guidance` must be 1 for a model without labels, got {guidance}.")
        raise ConfigError(
            f"`guidance` must be 1 for a model that cannot do without its {self.kind}, got "
            f"{guidance}. Train it with `label_dropout`, for example 0.1."
        )

    def drop(self, cond: Tensor | None) -> Tensor | None:
        """Leaves out conditions at random, as training does.

        Labels (B,) become the one that stands for none. Attributes (B, A) and maps (B, A, H, W)
        become zeros, and have one entry more, which is 1 where they are left out.
        """
        if cond is None or not self.is_optional:
            return cond
        dropped = torch.rand(len(cond), device=cond.device) < self.label_dropout
        if self.num_labels is not None:
            return cond.long().masked_fill(dropped, self.num_labels)
        dropped = dropped.view(-1, *[1] * self.num_axes)
        is_none = dropped.to(cond.dtype).expand_as(cond[:, :1])
        return torch.cat([cond.masked_fill(dropped, 0), is_none], 1)

    def coarser(self, cond: Tensor | None) -> Tensor | None:
        """`cond` for a level of half the height and width: maps are averaged two by two."""
        if cond is None or self.num_map_channels is None:
            return cond
        maps = cond if cond.is_floating_point() else cond.float()
        return F.avg_pool2d(maps, 2, ceil_mode=True)

    def describe(self) -> str:
        """What `cond` must be, in words."""
        s = "" if self.count == 1 else "s"
        if self.num_labels is not None:
            label = f"one label per image, an integer from 0 to {self.num_labels - 1}"
            what, none = f"{label}{self._named()}", "no label"
        elif self.num_attributes is not None:
            what = f"a vector of {self.num_attributes} attribute{s} per image{self._named()}"
            none = "no attributes"
        elif self.num_map_channels is not None:
            what = f"a map of {self.num_map_channels} channel{s} per image, as large as the image"
            none = "no map"
        else:
            return "None"
        return f"{what}, or None for {none}" if self.is_optional else what

    def _named(self) -> str:
        """The choices in brackets: attributes, or labels by the numbers that `cond` holds."""
        numbers = [str(number) for number in range(len(self.names or ()))]
        if self.names is None or list(self.names) == numbers:  # such names say nothing more
            return ""
        if self.num_attributes is not None:
            return f" ({', '.join(self.names)})"
        pairs = zip(numbers, self.names, strict=True)
        return f" ({', '.join(f'{number} {name}' for number, name in pairs)})"

    def _check_labels(self, cond: Tensor, num_labels: int) -> None:
        if cond.is_floating_point() or cond.dtype == torch.bool:
            raise ShapeError(f"`cond` must be {self.describe()}, got dtype {cond.dtype}.")
        if cond.numel() and (cond.min() < 0 or cond.max() >= num_labels):
            raise ShapeError(
                f"`cond` must be {self.describe()}, got values from {cond.min().item()} to "
                f"{cond.max().item()}."
            )


class ConditionBias(nn.Module):
    """Turns a condition into a bias for features, the same at every pixel or one for each.

    Args:
        condition: The kind of condition. If it is optional, the last row of `weight` is the bias
            of no label, no attributes or no map.
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

        No condition is mapped to (1, 1, 1, D).
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
        size = cursor.batch_size, -1, cursor.height, cursor.width
        kept = cursor.cached(
            self, lambda: BiasPlanes(rearrange(self._whole(cond), "b h w d -> b d h w"), size)
        )
        return kept.planes

    def _whole(self, cond: Tensor | None) -> Tensor:
        if cond is None:
            if not self.is_optional:
                raise ShapeError("This model needs `cond`, got None.")
            return self.weight[-1:, None, None]
        if self.is_label:
            return F.embedding(cond.long(), self.weight)[:, None, None]
        # Only what `Condition.drop` has touched says whether it was left out.
        weight = self.weight[: cond.shape[1]]
        if self.is_map:
            planes = rearrange(cond, "b a h w -> b h w a")
            return planes.to(weight.dtype) @ weight
        return (cond.to(weight.dtype) @ weight)[:, None, None]


class BiasPlanes:
    """What a condition adds along a walk.

    Args:
        bias: Of each image or of all, for each pixel or for all. (B or 1, D, H or 1, W or 1).
        size: What it is expanded to, (B, D, H, W), which takes no memory.

    Attributes:
        planes: (B, D, H, W).
    """

    def __init__(self, bias: Tensor, size: tuple[int, ...]) -> None:
        self.bias = bias
        self.size = size
        self.planes = bias.expand(size)

    def reorder(self, index: Tensor) -> None:
        """Lets image i go on as image `index[i]` was."""
        if len(self.bias) > 1:
            self.bias = self.bias.index_select(0, index)
        self.size = len(index), *self.size[1:]
        self.planes = self.bias.expand(self.size)
