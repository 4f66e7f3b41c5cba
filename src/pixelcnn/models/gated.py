"""GatedPixelCNN: two stacks of gated convolutions, with no blind spot."""

from collections.abc import Iterator, Sequence

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
        **shared: Unpack[SharedOptions],
    ) -> None:
        super().__init__(**shared)
        check_least(1, hidden_channels=hidden_channels, num_layers=num_layers, num_heads=num_heads)
        check_kernels(kernel_size=kernel_size, first_kernel_size=first_kernel_size)
        check_share("dropout", dropout)
        hidden = -(-hidden_channels // self.groups) * self.groups
        self.dilations = cycled(dilations, num_layers - 1)
        self.kernel_size, self.first_kernel_size = kernel_size, first_kernel_size
        self._build_vertical(hidden, dropout, norm)
        self._build_horizontal(hidden, dropout, norm)
        reads = self.embed.num_features
        # Of the last layer only the skips are read: attention after it would be lost.
        self.attentions = nn.ModuleDict(
            {
                str(place): CausalAttention(
                    hidden, reads, num_heads=num_heads, groups=self.groups, dropout=dropout
                )
                for place in attention_places(attention_every, num_layers - 1, num_heads)
            }
        )
        self.mix = MaskedConv2d("B", hidden, hidden, 1, groups=self.groups)
        self.out = MaskedConv2d("B", hidden, self.likelihood.num_params, 1, groups=self.groups)

    def _build_vertical(self, hidden: int, dropout: float, norm: NormKind) -> None:
        self.above = VerticalConv("A", self.embed.num_features, 2 * hidden, self.first_kernel_size)
        self.vertical = nn.ModuleList(
            VerticalLayer(hidden, self.kernel_size, dilation, dropout, norm, self.condition)
            for dilation in self.dilations
        )
        num_layers = 1 + len(self.dilations)
        self.links = nn.ModuleList(Link(hidden, self.condition) for _ in range(num_layers))

    def _build_horizontal(self, hidden: int, dropout: float, norm: NormKind) -> None:
        reads, groups, kernel_size = self.embed.num_features, self.groups, self.kernel_size
        convs = [HorizontalConv("A", reads, 2 * hidden, self.first_kernel_size, groups=groups)]
        convs += [
            HorizontalConv("B", hidden, 2 * hidden, kernel_size, groups=groups, dilation=dilation)
            for dilation in self.dilations
        ]
        self.horizontal = nn.ModuleList(
            HorizontalLayer(conv, hidden, dropout, norm, groups, is_last=conv is convs[-1])
            for conv in convs
        )

    def forward(
        self, x: Tensor, cond: Tensor | None = None, cursor: Cursor | None = None
    ) -> Tensor:
        h = newest = self.embed(x, cursor)
        contexts = self._contexts(h, cond) if cursor is None else self._kept(x, cond, cursor)
        skips: Tensor | None = None
        for place, (layer, context) in enumerate(zip(self.horizontal, contexts, strict=True), 1):
            h, skip = layer(h, context, cursor)
            if str(place) in self.attentions:
                h = self.attentions[str(place)](h, newest, cursor)
            skips = skip if skips is None else skips + skip
        assert skips is not None
        params = self.out(F.relu(self.mix(F.relu(skips), cursor)), cursor)
        return params if cursor is not None else rearrange(params, "b h w p -> b p h w")

    def _contexts(
        self, rows: Tensor, cond: Tensor | None, cursor: Cursor | None = None
    ) -> Iterator[Tensor]:
        """What each layer of the horizontal stack gets from the rows above.

        One after another: in a pass over whole images each is large, and read only once.
        """
        above = self.above(rows, cursor)
        yield self.links[0](above, cond, cursor)
        for vertical, link in zip(self.vertical, self.links[1:], strict=True):
            above = vertical(above, cond, cursor)
            yield link(above, cond, cursor)

    def _kept(self, x: Tensor, cond: Tensor | None, cursor: Cursor) -> list[Tensor]:
        """The same along a walk: for a whole row when it begins."""
        return cursor.per_row(
            self, lambda: list(self._contexts(self.embed.row_above(x, cursor), cond, cursor))
        )

    def receptive_field(self) -> ReceptiveField:
        above = window_above("A", self.first_kernel_size)
        field = above | window("A", (1, self.first_kernel_size), groups=self.groups)
        for dilation in self.dilations:
            above = through(above, window_above("B", self.kernel_size, dilation=dilation))
            along = window("B", (1, self.kernel_size), dilation=dilation)
            field = above | through(field, along)
        return ReceptiveField.covering(field, sees_all_past=bool(self.attentions))
