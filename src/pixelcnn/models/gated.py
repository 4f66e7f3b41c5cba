"""GatedPixelCNN: two stacks of gated convolutions, with no blind spot."""

from collections.abc import Iterator, Sequence
from typing import Literal

import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn
from typing_extensions import Unpack

from pixelcnn.arguments import check_share
from pixelcnn.models.base import AutoregressiveModel
from pixelcnn.models.options import (
    NUM_HEADS,
    SharedOptions,
    attention_places,
    check_kernels,
    check_least,
    cycled,
)
from pixelcnn.nn import (
    CausalAttention,
    Cursor,
    HorizontalConv,
    HorizontalLayer,
    Link,
    MaskedConv2d,
    NormKind,
    ReceptiveField,
    VerticalConv,
    VerticalLayer,
    Writes,
    through,
    window,
    window_above,
)


class GatedPixelCNN(AutoregressiveModel):
    """Gated layers of a vertical stack (rows above) and a horizontal one (the row so far).

    The vertical stack sees all columns of the rows above, so every pixel inside the receptive
    field counts. Its features go to the horizontal stack through a 1×1 convolution in every layer,
    and never back. The first layer has larger windows, hides the own pixel, and has no
    residual connection. What a layer adds to the residual path of the horizontal stack and to the
    sum of skips that the head reads is one 1×1 convolution of its gated features.

    Two options give the smaller network of a widely read tutorial (UvA deep learning course,
    tutorial 12): `first_layer="linear"` and `head="path"`.

    Args:
        hidden_channels: Features per pixel of each stack, p in the paper; a gate reads twice as
            many. With C > 1 channels predicted one by one it is rounded up to a multiple of C.
        num_layers: Gated layers, the first included.
        kernel_size: Odd side of the windows after the first layer.
        first_kernel_size: Odd side of the windows of the first layer.
        dropout: Share of gated features dropped in each layer while training.
        dilations: Dilation of each layer after the first, cycled; None for 1.
        norm: "none", "channel" (per pixel) or "batch" (see `pixelcnn.nn.Norm`), of what each
            layer after the first reads.
        attention_every: Puts causal self-attention after every so many layers of the
            horizontal stack, but the last; None for none. Every earlier pixel is then seen.
        num_heads: Heads of each attention.
        first_layer: "gated", or "linear": one masked convolution for each stack, with no gate
            and no link, of which the horizontal one begins the residual path.
        head: What the parameters are read from. "skips": ReLU → 1×1 → ReLU → 1×1 of the sum of
            the layers' skips; "path": ELU → 1×1 of the end of the residual path, without skips.
        **shared: Arguments of every model, see `AutoregressiveModel`.

    Raises:
        ConfigError: If an argument is out of range or does not fit another.

    References:
        Conditional Image Generation with PixelCNN Decoders (van den Oord et al., 2016),
        sections 2.1 to 2.3 and figure 2. https://arxiv.org/abs/1606.05328

    Example:
        >>> model = GatedPixelCNN(num_layers=3, hidden_channels=16, image_size=28)
        >>> model.receptive_field()[:3]
        (5, 5, 5)
        >>> (-1, 5) in model.receptive_field().offsets  # no blind spot
        True
    """

    def __init__(
        self,
        *,
        hidden_channels: int = 64,
        num_layers: int = 10,
        kernel_size: int = 3,
        first_kernel_size: int = 7,
        dropout: float = 0.0,
        dilations: Sequence[int] | None = None,
        norm: NormKind = "none",
        attention_every: int | None = None,
        num_heads: int = NUM_HEADS,
        first_layer: Literal["gated", "linear"] = "gated",
        head: Literal["skips", "path"] = "skips",
        **shared: Unpack[SharedOptions],
    ) -> None:
        super().__init__(**shared)
        check_least(1, hidden_channels=hidden_channels, num_heads=num_heads)
        # A linear layer alone sees no row above.
        check_least(2 if first_layer == "linear" else 1, num_layers=num_layers)
        check_kernels(kernel_size=kernel_size, first_kernel_size=first_kernel_size)
        check_share("dropout", dropout)
        hidden = -(-hidden_channels // self.groups) * self.groups
        self.dilations = cycled(dilations, num_layers - 1)
        self.kernel_size, self.first_kernel_size = kernel_size, first_kernel_size
        self.is_linear, self.reads_path = first_layer == "linear", head == "path"
        self._build_vertical(hidden, dropout, norm)
        self._build_horizontal(hidden, dropout, norm)
        reads = self.embed.num_features
        # Where skips are read, attention after the last layer would be lost.
        places = len(self.horizontal) - (not self.reads_path)
        self.attentions = nn.ModuleDict(
            {
                str(place): CausalAttention(
                    hidden, reads, num_heads=num_heads, groups=self.groups, dropout=dropout
                )
                for place in attention_places(attention_every, places, num_heads)
            }
        )
        self.mix: MaskedConv2d | None = None
        if not self.reads_path:
            self.mix = MaskedConv2d("B", hidden, hidden, 1, groups=self.groups)
        self.out = MaskedConv2d("B", hidden, self.likelihood.num_params, 1, groups=self.groups)

    def _build_vertical(self, hidden: int, dropout: float, norm: NormKind) -> None:
        width = hidden if self.is_linear else 2 * hidden
        self.above = VerticalConv("A", self.embed.num_features, width, self.first_kernel_size)
        self.vertical = nn.ModuleList(
            VerticalLayer(
                hidden,
                self.kernel_size,
                dilation,
                dropout,
                norm,
                self.condition,
                gated=place > 0 or not self.is_linear,
            )
            for place, dilation in enumerate(self.dilations)
        )
        num_links = len(self.dilations) + (not self.is_linear)
        self.links = nn.ModuleList(Link(hidden, self.condition) for _ in range(num_links))

    def _build_horizontal(self, hidden: int, dropout: float, norm: NormKind) -> None:
        reads, groups = self.embed.num_features, self.groups
        size, later = self.first_kernel_size, self.kernel_size
        self.along: MaskedConv2d | None = None
        if self.is_linear:
            self.along = MaskedConv2d("A", reads, hidden, (1, size), groups=groups)
        convs = [
            HorizontalConv("B", hidden, 2 * hidden, later, groups=groups, dilation=dilation)
            for dilation in self.dilations
        ]
        if not self.is_linear:
            convs.insert(0, HorizontalConv("A", reads, 2 * hidden, size, groups=groups))
        writes: list[Writes] = ["path" if self.reads_path else "both"] * len(convs)
        if not self.reads_path:
            writes[-1] = "skip"
        self.horizontal = nn.ModuleList(
            HorizontalLayer(conv, hidden, dropout, norm, groups, writes=each)
            for conv, each in zip(convs, writes, strict=True)
        )

    def forward(
        self, x: Tensor, cond: Tensor | None = None, cursor: Cursor | None = None
    ) -> Tensor:
        h = newest = self.embed(x, cursor)
        contexts = self._contexts(h, cond) if cursor is None else self._kept(x, cond, cursor)
        if self.along is not None:
            h = self.along(newest, cursor)
        skips: Tensor | None = None
        for place, (layer, context) in enumerate(zip(self.horizontal, contexts, strict=True), 1):
            h, skip = layer(h, context, cursor)
            if str(place) in self.attentions:
                h = self.attentions[str(place)](h, newest, cursor)
            skips = skip if skips is None else skips + skip
        params = self._read(h, skips, cursor)
        return params if cursor is not None else rearrange(params, "b h w p -> b p h w")

    def _read(self, path: Tensor | None, skips: Tensor | None, cursor: Cursor | None) -> Tensor:
        """The head."""
        if self.mix is None:
            assert path is not None
            return self.out(F.elu(path), cursor)
        assert skips is not None
        return self.out(F.relu(self.mix(F.relu(skips), cursor)), cursor)

    def _contexts(
        self, rows: Tensor, cond: Tensor | None, cursor: Cursor | None = None
    ) -> Iterator[Tensor]:
        """What each layer of the horizontal stack gets from the rows above.

        One after another: in a pass over whole images each is large, and read only once.
        """
        above, links = self.above(rows, cursor), iter(self.links)
        if not self.is_linear:
            yield next(links)(above, cond, cursor)
        for vertical in self.vertical:
            above = vertical(above, cond, cursor)
            yield next(links)(above, cond, cursor)

    def _kept(self, x: Tensor, cond: Tensor | None, cursor: Cursor) -> list[Tensor]:
        """The same along a walk: for a whole row when it begins."""
        return cursor.per_row(
            self, lambda: list(self._contexts(self.embed.row_above(x, cursor), cond, cursor))
        )

    def receptive_field(self) -> ReceptiveField:
        above = window_above("A", self.first_kernel_size)
        field = window("A", (1, self.first_kernel_size), groups=self.groups)
        field = field if self.is_linear else above | field
        for dilation in self.dilations:
            above = through(above, window_above("B", self.kernel_size, dilation=dilation))
            along = window("B", (1, self.kernel_size), dilation=dilation)
            field = above | through(field, along)
        return ReceptiveField.covering(field, sees_all_past=bool(self.attentions))
