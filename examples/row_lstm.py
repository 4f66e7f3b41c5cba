"""A model of your own: the Row LSTM, in one file that also registers it.

    python examples/row_lstm.py train --model.name row_lstm --out runs/row_lstm
    python examples/row_lstm.py sample runs/row_lstm

Both are the commands of `pixelcnn`, with one more model. See docs/adding.md.
"""

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn
from typing_extensions import Unpack

from pixelcnn.cli import main
from pixelcnn.models import AutoregressiveModel, SharedOptions, register
from pixelcnn.models.options import check_least
from pixelcnn.nn import (
    Condition,
    ConditionBias,
    Cursor,
    HorizontalConv,
    MaskedConv2d,
    ReceptiveField,
    reordered,
    window,
)

FIRST_KERNEL = 7
KERNEL = 3


@register("row_lstm")
class RowLSTM(AutoregressiveModel):
    """An LSTM that runs down the rows, one state per column, with convolutions along a row.

    A masked 7×7 convolution, layers of Row LSTM with residual connections, two 1×1 convolutions.
    Its field has no upper end: the state of a row reads the states of the row above.

    Args:
        hidden_channels: Features per pixel. With C > 1 channels predicted one by one it is rounded
            up to a multiple of C.
        num_layers: Row LSTM layers.
        **shared: Arguments of every model, see `AutoregressiveModel`.

    References:
        Pixel Recurrent Neural Networks (van den Oord et al., 2016), section 3.1.
        https://arxiv.org/abs/1601.06759
    """

    def __init__(
        self, *, hidden_channels: int = 32, num_layers: int = 2, **shared: Unpack[SharedOptions]
    ) -> None:
        super().__init__(**shared)
        check_least(1, hidden_channels=hidden_channels, num_layers=num_layers)
        groups = self.groups
        hidden = -(-hidden_channels // groups) * groups
        self.first = MaskedConv2d("A", self.embed.num_features, hidden, FIRST_KERNEL, groups=groups)
        self.layers = nn.ModuleList(
            RowLSTMLayer(hidden, self.condition, groups=groups) for _ in range(num_layers)
        )
        self.mix = MaskedConv2d("B", hidden, hidden, 1, groups=groups)
        self.out = MaskedConv2d("B", hidden, self.likelihood.num_params, 1, groups=groups)

    def forward(
        self, x: Tensor, cond: Tensor | None = None, cursor: Cursor | None = None
    ) -> Tensor:
        h = self.first(self.embed(x, cursor), cursor)
        for layer in self.layers:
            h = h + layer(h, cond, cursor)
        params = self.out(F.relu(self.mix(F.relu(h), cursor)), cursor)
        return params if cursor is not None else rearrange(params, "b h w p -> b p h w")

    def receptive_field(self) -> ReceptiveField:
        windows = [window("A", FIRST_KERNEL, groups=self.groups)]
        windows += [window("B", (1, KERNEL)) for _ in self.layers]
        return ReceptiveField.of(windows, spread=KERNEL // 2)


class RowLSTMLayer(nn.Module):
    """One state per pixel, from the own row so far and the states of the row above.

    Args:
        features: D, features per pixel, in `groups` equal runs.
        condition: What the model is conditioned on: it biases the gates.
        groups: Colour groups.
    """

    def __init__(self, features: int, condition: Condition, *, groups: int) -> None:
        super().__init__()
        self.features, self.groups = features, groups
        self.gates = HorizontalConv("B", features, 4 * features, KERNEL, groups=groups)
        # The row above is known in full, so nothing of it is masked.
        self.carry = nn.Conv1d(features, 4 * features, KERNEL, padding=KERNEL // 2)
        self.bias = None if condition.is_none else ConditionBias(condition, 4 * features)

    def forward(self, h: Tensor, cond: Tensor | None, cursor: Cursor | None) -> Tensor:
        """Maps features of the whole image, or of one site of a walk, to the same shape."""
        return self.whole(h, cond) if cursor is None else self.site(h, cond, cursor)

    def whole(self, h: Tensor, cond: Tensor | None) -> Tensor:
        """(B, H, W, D), row by row."""
        gates = self.gates.conv(h)
        if self.bias is not None:
            gates = gates + self.bias(cond)
        hidden = cell = torch.zeros_like(h[:, 0])
        rows = []
        for row in gates.unbind(1):
            hidden, cell = update(row + self.carried(hidden), cell, groups=self.groups)
            rows.append(hidden)
        return torch.stack(rows, 1)

    def site(self, h: Tensor, cond: Tensor | None, cursor: Cursor) -> Tensor:
        """(B, D / G), with what is kept of the row above by `cursor.cached`."""
        kept = cursor.cached(self, lambda: RowState(h, cursor, self.features))
        context = cursor.per_row(self, lambda: self.carried(kept.hidden))
        gates = self.gates(h, context, cursor)
        if self.bias is not None:
            gates = gates + self.bias(cond, cursor)
        at = slice(None), cursor.front.column, cursor.run(self.features)
        kept.hidden[at], kept.cell[at] = update(gates, kept.cell[at], groups=1)
        return kept.hidden[at].clone()

    def carried(self, hidden: Tensor) -> Tensor:
        """What the states of a row (B, W, D) add to the gates of the next. (B, W, 4 D)."""
        return rearrange(self.carry(rearrange(hidden, "b w d -> b d w")), "b d w -> b w d")


def update(gates: Tensor, cell: Tensor, *, groups: int) -> tuple[Tensor, Tensor]:
    """The next hidden and cell state (…, D) from the gates (…, 4 D), in `groups` equal runs."""
    write, keep, read, value = rearrange(gates, "... (g n d) -> n ... (g d)", n=4, g=groups)
    cell = keep.sigmoid() * cell + write.sigmoid() * value.tanh()
    return read.sigmoid() * cell.tanh(), cell


class RowState:
    """The states of the row above, site by site replaced by those of the own row.

    Attributes:
        hidden: (B, W, D).
        cell: (B, W, D).
    """

    def __init__(self, like: Tensor, cursor: Cursor, features: int) -> None:
        size = cursor.batch_size, cursor.width, features
        self.hidden, self.cell = like.new_zeros(size), like.new_zeros(size)

    def reorder(self, index: Tensor) -> None:
        """Lets image i go on as image `index[i]` was."""
        self.hidden = reordered(self.hidden, index)
        self.cell = reordered(self.cell, index)


if __name__ == "__main__":
    raise SystemExit(main())
