"""PixelCNN++: two streams of gated residual blocks over several resolutions."""

from functools import partial

import torch.nn.functional as F
from einops import rearrange
from torch import Tensor
from typing_extensions import Unpack

from pixelcnn.arguments import check_share
from pixelcnn.models.base import AutoregressiveModel
from pixelcnn.models.options import SharedOptions, check_least
from pixelcnn.nn import (
    Cursor,
    DownConv,
    DownRightConv,
    ReceptiveField,
    Seen,
    TwoStreams,
    place,
    widen,
    with_ones,
)


class PixelCNNPlusPlus(AutoregressiveModel):
    """Shifted convolutions instead of masks, strides, short-cut connections, gated blocks.

    One stream sees the rows above, the other all of the past, reading the first in every block.
    Each resolution has blocks on the way down, and blocks on the way up that also read their
    stream's features of the way down. Convolutions are weight-normalised; `initialise` sets their
    scales by a first batch. A channel of ones tells the image from what lies around it.

    Heights and widths of any size are halved upwards, so nothing is padded or cropped, and images
    down to 1×1 can be scored; to be trained on, no side may be shorter than the strides
    (`least_side`). With C > 1 channels predicted one by one (any head but the mixture), the
    stream of the past has colour groups, and masks where a window meets its own pixel.

    The paper's model of CIFAR-10 is `hidden_channels=160, dropout=0.5` with
    `likelihood="logistic_mixture"`. It has 53,665,800 parameters, 6,720 more than the authors'
    program: there the stream of the past reads the other stream and its own short-cut through one
    1×1 convolution, here through two, each with gains and biases (17 × 2 × 160); and its first
    window has two taps less there, which here belong to the first row above, or are hidden
    (2 × 4 × 160). Above the image the program's first features are zero; here they are the biases.

    Args:
        hidden_channels: Features per pixel of each stream, at every resolution. With C > 1
            channels predicted one by one it is rounded up to a multiple of C.
        num_resnets: Blocks of each stream on the way down, at each resolution.
        num_resolutions: Resolutions; each after the first halves height and width.
        dropout: Share of features dropped in each block while training.
        **shared: Arguments of every model, see `AutoregressiveModel`.

    Raises:
        ConfigError: If an argument is out of range or does not fit another.

    References:
        PixelCNN++: Improving the PixelCNN with Discretized Logistic Mixture Likelihood and Other
        Modifications (Salimans et al., 2017), section 2 and figure 2.
        https://arxiv.org/abs/1701.05517

    Example:
        >>> model = PixelCNNPlusPlus(hidden_channels=8, num_resnets=1, image_size=(5, 7))
        >>> model.generate(num_samples=2).shape
        torch.Size([2, 1, 5, 7])
        >>> (-1, 9) in model.receptive_field().offsets  # no blind spot
        True
    """

    def __init__(
        self,
        *,
        hidden_channels: int = 64,
        num_resnets: int = 5,
        num_resolutions: int = 3,
        dropout: float = 0.0,
        **shared: Unpack[SharedOptions],
    ) -> None:
        super().__init__(**shared)
        check_least(1, hidden_channels=hidden_channels, num_resnets=num_resnets)
        check_least(1, num_resolutions=num_resolutions)
        check_share("dropout", dropout)
        self.num_resnets, self.num_resolutions = num_resnets, num_resolutions
        if self.image_size is not None:
            self._check_least(*self.image_size)
        groups = self.groups
        self.hidden = -(-hidden_channels // groups) * groups
        reads = self.embed.num_features + groups  # every colour group has ones of its own
        self.first_above = DownConv(reads, self.hidden, (2, 3))
        self.first_row_above = DownConv(reads, self.hidden, (1, 3))
        self.first_past = DownRightConv(reads, self.hidden, (2, 2), kind="A", groups=groups)
        self.streams = TwoStreams(
            self.hidden,
            num_resnets,
            num_resolutions,
            dropout=dropout,
            condition=self.condition,
            groups=groups,
        )
        self.out = DownRightConv(self.hidden, self.likelihood.num_params, (1, 1), groups=groups)

    @property
    def least_side(self) -> int:
        """So that a site of the coarsest level stands for pixels of the image alone.

        Smaller images can be scored and walked, but a network that is set by them has scales
        that come from next to no variance, and does not train.
        """
        return 2 ** (self.num_resolutions - 1)

    def forward(
        self, x: Tensor, cond: Tensor | None = None, cursor: Cursor | None = None
    ) -> Tensor:
        newest = self.embed(x, cursor)
        if newest is not None:
            newest = with_ones(newest, groups=self.groups if cursor is None else 1)
        if cursor is None:
            rows = F.pad(newest, (0, 0, 0, 0, 1, 0))[:, :-1]
            above, row_above = self.first_above(rows), self.first_row_above(rows)
        else:
            above, row_above = cursor.per_row(self, partial(self._first_rows, x, cursor))
            row_above = row_above[:, cursor.front.column, cursor.run(self.hidden)]
        past = row_above + self.first_past(newest, cursor)
        _, past = self.streams(above, past, cond, cursor)
        params = self.out(F.elu(past), cursor)
        return params if cursor is not None else rearrange(params, "b h w p -> b p h w")

    def _first_rows(self, x: Tensor, cursor: Cursor) -> tuple[Tensor, Tensor]:
        """What both streams read of the rows above. (B, W, D) each."""
        row = self.embed.row_above(x, cursor)
        row = with_ones(row, groups=self.groups, inside=cursor.front.row > 0)
        return self.first_above(row, cursor), self.first_row_above(row, cursor)

    def receptive_field(self) -> ReceptiveField:
        period = 2 ** (self.num_resolutions - 1)
        return ReceptiveField.of_places(
            (self._seen_from(row, column) for column in range(period)) for row in range(period)
        )

    def _seen_from(self, row: int, column: int) -> Seen:
        """What is seen from a place, on a plane around it: strides make it depend on the place."""
        period = 2 ** (self.num_resolutions - 1)
        # At each level at most 4 n + 2 windows of blocks, and two at the strides, a step each.
        reach = period * (2 * (4 * self.num_resnets + 4) + 4)
        own = place(row, column, reach)
        above, past = self.streams.seen(own & False, own)
        around = frozenset((0, c) for c in (-1, 0, 1))
        corner = frozenset({(-1, -1), (-1, 0), (0, -1)} | ({(0, 0)} if self.groups > 1 else set()))
        row_above = widen(past, frozenset({(-1, 0)})) | widen(above, frozenset({(-1, 0), (-2, 0)}))
        seen = widen(row_above, around) | widen(past, corner)
        return seen.roll((-row, -column), (0, 1))
