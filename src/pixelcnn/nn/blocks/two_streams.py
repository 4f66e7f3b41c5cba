"""Two streams of gated residual blocks over several resolutions, with short-cut connections."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor, nn

from pixelcnn.nn.blocks.activations import concat_elu
from pixelcnn.nn.blocks.residual import GatedResidual
from pixelcnn.nn.condition import Condition
from pixelcnn.nn.convolutions.shifted import DownConv, DownRightConv
from pixelcnn.nn.convolutions.transposed import DownRightTransposed, DownTransposed
from pixelcnn.nn.cursor import Cursor
from pixelcnn.nn.receptive import Seen, tiles, upsample, widen

WINDOW_ABOVE = frozenset((r, c) for r in (-1, 0) for c in (-1, 0, 1))
WINDOW_PAST = frozenset((r, c) for r in (-1, 0) for c in (-1, 0))

Streams = tuple[Tensor, Tensor]


@dataclass
class LowRow:
    """What a walk keeps of the row of the coarser level.

    Attributes:
        above: Of the stream of the rows above. (B, W, D).
        past: Of the stream of the past, as far as it is known. (B, W, D).
    """

    above: Tensor
    past: Tensor

    def reorder(self, index: Tensor) -> None:
        """Lets image i go on as image `index[i]` was."""
        self.above = self.above.index_select(0, index)
        self.past = self.past.index_select(0, index)


class StreamPair(nn.Module):
    """One block of the stream of the rows above, and one of the stream of the past, which reads it.

    Args:
        features: D, features per pixel of each stream, in `groups` equal runs.
        takes_shortcut: Whether each block also reads the features of its stream at an earlier
            place of the network.
        dropout: Share of features dropped in each block while training.
        condition: What the model is conditioned on.
        groups: Colour groups of the stream of the past.
    """

    def __init__(
        self,
        features: int,
        *,
        takes_shortcut: bool,
        dropout: float,
        condition: Condition,
        groups: int,
    ) -> None:
        super().__init__()
        num_aux = features if takes_shortcut else 0
        block = partial(
            GatedResidual, features, num_aux=num_aux, dropout=dropout, condition=condition
        )
        self.features = features
        self.above = block(DownConv, by_row=True)
        self.link = DownConv(2 * features, features, (1, 1))
        self.past = block(partial(DownRightConv, groups=groups), groups=groups)

    def forward(
        self,
        above: Tensor,
        past: Tensor,
        cond: Tensor | None,
        cursor: Cursor | None,
        shortcut: Streams | None = None,
    ) -> Streams:
        """Maps the features of both streams to those after this pair.

        Along a walk `above` is a whole row (B, W, D), and computed once for it; `past` is a site
        (B, D / G).
        """
        from_above, from_past = (None, None) if shortcut is None else shortcut

        def rows() -> Streams:
            features = self.above(above, cond, cursor, aux=from_above)
            return features, self.link(concat_elu(features), cursor)

        above, added = rows() if cursor is None else cursor.per_row(self, rows)
        if cursor is not None:
            added = added[:, cursor.front.column, cursor.run(self.features)]
        return above, self.past(past, cond, cursor, aux=from_past, added=added)

    @staticmethod
    def seen(above: Seen, past: Seen) -> tuple[Seen, Seen, Seen, Seen]:
        """What is seen of both streams before the pair, and of both short-cuts."""
        past_middle = widen(past, WINDOW_PAST)
        above = above | past_middle
        above_middle = widen(above, WINDOW_ABOVE)
        return (
            above | widen(above_middle, WINDOW_ABOVE),
            past | widen(past_middle, WINDOW_PAST),
            above_middle,
            past_middle,
        )


class TwoStreams(nn.Module):
    """Pairs of blocks down to half the resolution, what is done there, and pairs back up.

    The pairs on the way up have short-cuts from those on the way down, last to first, and one
    from what came in. At the lowest resolution the way up begins with the features of the last
    pair on the way down, so that there is one pair less.

    Args:
        features: D, features per pixel of each stream, in `groups` equal runs.
        num_resnets: Pairs on the way down, at each resolution.
        num_resolutions: 1 for no change of resolution; each further one halves height and width,
            rounded up, so that images of any size will do.
        dropout: Share of features dropped in each block while training.
        condition: What the model is conditioned on.
        groups: Colour groups of the stream of the past.

    References:
        PixelCNN++ (Salimans et al., 2017), sections 2.3 and 2.4, figure 2.
        https://arxiv.org/abs/1701.05517
    """

    def __init__(
        self,
        features: int,
        num_resnets: int,
        num_resolutions: int,
        *,
        dropout: float,
        condition: Condition,
        groups: int,
    ) -> None:
        super().__init__()
        same: dict[str, Any] = {"dropout": dropout, "condition": condition, "groups": groups}
        pair = partial(StreamPair, features, **same)
        self.features = features
        self.condition = condition
        self.down = nn.ModuleList(pair(takes_shortcut=False) for _ in range(num_resnets))
        self.lower: TwoStreams | None = None
        if num_resolutions > 1:
            self.shrink_above = DownConv(features, features, stride=2)
            self.shrink_past = DownRightConv(features, features, groups=groups, stride=2)
            self.lower = TwoStreams(features, num_resnets, num_resolutions - 1, **same)
            self.grow_above = DownTransposed(features, features)
            self.grow_past = DownRightTransposed(features, features, groups=groups)
        num_up = num_resnets + (self.lower is not None)
        self.up = nn.ModuleList(pair(takes_shortcut=True) for _ in range(num_up))

    def forward(
        self, above: Tensor, past: Tensor, cond: Tensor | None, cursor: Cursor | None
    ) -> Streams:
        """Maps the features of both streams, as `StreamPair` does."""
        kept = [(above, past)]
        for pair in self.down:
            above, past = pair(above, past, cond, cursor)
            kept.append((above, past))
        if self.lower is None:
            kept.pop()
        elif cursor is None:
            above, past = self._through_lower(self.lower, above, past, cond)
        else:
            above, past = self._walk_lower(self.lower, above, past, cond, cursor)
        for pair in self.up:
            above, past = pair(above, past, cond, cursor, kept.pop())
        return above, past

    def _through_lower(
        self, lower: "TwoStreams", above: Tensor, past: Tensor, cond: Tensor | None
    ) -> Streams:
        size = (above.shape[1], above.shape[2])
        cond = self.condition.coarser(cond)
        above, past = lower(self.shrink_above(above), self.shrink_past(past), cond, None)
        return self.grow_above(above, size), self.grow_past(past, size)

    def _walk_lower(
        self,
        lower: "TwoStreams",
        above: Tensor,
        past: Tensor,
        cond: Tensor | None,
        cursor: Cursor,
    ) -> Streams:
        low, size = cursor.coarser(2), (cursor.height, cursor.width)
        shape = cursor.batch_size, low.width, self.features
        kept = cursor.cached(self, lambda: LowRow(above.new_zeros(shape), above.new_zeros(shape)))
        if cursor.has_work(2):
            row, low_cond = low.per_row(
                self, lambda: (self.shrink_above(above, cursor), self.condition.coarser(cond))
            )
            kept.above, site = lower(row, self.shrink_past(past, cursor), low_cond, low)
            kept.past[:, low.front.column, low.run(self.features)] = site
        else:
            self.shrink_past.keep(past, cursor)
            if cursor.index == 0:
                self.shrink_above.keep(above, cursor)
        grown = cursor.per_row(self, lambda: self.grow_above(kept.above, size, cursor))
        return grown, self.grow_past(kept.past, size, cursor)

    def seen(self, above: Seen, past: Seen) -> tuple[Seen, Seen]:
        """What is seen of what comes in, where so much is seen of what goes out.

        Planes of the level of this resolution, see `pixelcnn.nn.receptive`.
        """
        shortcuts = []
        for _ in self.up:
            above, past, *shortcut = StreamPair.seen(above, past)
            shortcuts.append(shortcut)
        if self.lower is not None:
            above, past = self.lower.seen(tiles(above, next_column=True), tiles(past))
            above, past = widen(upsample(above), WINDOW_ABOVE), widen(upsample(past), WINDOW_PAST)
            above, past = above | shortcuts[-1][0], past | shortcuts[-1][1]
        for place in reversed(range(len(self.down))):
            above, past, *_ = StreamPair.seen(above, past)
            above, past = above | shortcuts[place][0], past | shortcuts[place][1]
        return above, past
