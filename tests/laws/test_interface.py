"""One forward serves the whole image and the walk for every kind of layer that is to come.

Toy networks, each of one kind: two stacks whose vertical one works a row at a time, attention with
a cache of keys and values, and a level of half the resolution.
"""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from pixelcnn.models import AutoregressiveModel
from pixelcnn.nn import MaskedConv2d, ReceptiveField
from pixelcnn.walk import CachedStepper, NaiveStepper
from tests.laws.test_walking import logits_by_site
from tests.laws.zoo import images_for

FEATURES = 4


class ToyModel(AutoregressiveModel):
    """A first masked convolution and a last product; `middle` between them is the toy."""

    name = "toy"

    def __init__(self):
        super().__init__(
            in_channels=1,
            num_classes=3,
            likelihood="categorical",
            num_labels=None,
            num_attributes=None,
            num_map_channels=None,
            image_size=None,
        )
        self.first = MaskedConv2d("A", 1, FEATURES, 3)
        self.out = nn.Linear(FEATURES, 3)

    def forward(self, x, cond=None, cursor=None):
        h = self.first(self.embed(x, cursor), cursor)
        params = self.out(F.relu(self.middle(x, h, cursor)))
        return params if cursor is not None else params.permute(0, 3, 1, 2)

    def receptive_field(self):
        return ReceptiveField.of([])


class RowAbove(nn.Module):
    """Maps whole rows to rows, seeing the row above (all columns one step around)."""

    def __init__(self, features):
        super().__init__()
        self.conv = nn.Conv2d(features, FEATURES, (1, 3), padding=(0, 1))

    def forward(self, rows, cursor=None):
        if cursor is None:
            shifted = F.pad(rows, (0, 0, 0, 0, 1, 0))[:, :-1]
            return self.conv(shifted.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        above = cursor.caches.get(self, torch.zeros_like(rows))
        cursor.caches[self] = rows
        return self.conv(above.permute(0, 2, 1)[:, :, None])[:, :, 0].permute(0, 2, 1)


class TwoStacks(ToyModel):
    """Two vertical layers; both finish a row when it begins."""

    def __init__(self):
        super().__init__()
        self.vertical = nn.ModuleList([RowAbove(FEATURES), RowAbove(FEATURES)])
        self.read = nn.Linear(1, FEATURES)

    def middle(self, x, h, cursor):
        if cursor is None:
            return h + self.stack(F.pad(self.embed(x), (0, 0, 0, 0, 1, 0))[:, :-1], None)
        row = cursor.front.row
        rows = cursor.per_row(self, lambda: self.stack(self.row_above(x, row), cursor))
        return h + rows[:, cursor.front.column]

    def row_above(self, x, row):
        read = self.embed._features(x[:, :, row - 1].permute(0, 2, 1))
        return read if row else torch.zeros_like(read)

    def stack(self, rows, cursor):
        rows = self.read(rows)
        for layer in self.vertical:
            rows = rows + layer(rows, cursor)
        return rows


class Attention(ToyModel):
    """Every site attends to itself and all before it."""

    def __init__(self):
        super().__init__()
        self.project = nn.Linear(FEATURES, 3 * FEATURES)

    def middle(self, x, h, cursor):
        query, key, value = self.project(h).chunk(3, dim=-1)
        if cursor is None:
            flat = [t.flatten(1, 2) for t in (query, key, value)]
            return h + F.scaled_dot_product_attention(*flat, is_causal=True).view_as(h)
        keys, values = cursor.caches.setdefault(self, ([], []))
        keys.append(key)
        values.append(value)
        seen = torch.stack(keys, 1), torch.stack(values, 1)
        return h + F.scaled_dot_product_attention(query[:, None], *seen)[:, 0]


class HalfResolution(ToyModel):
    """A masked convolution at every second row and column."""

    def __init__(self):
        super().__init__()
        self.low = MaskedConv2d("B", FEATURES, FEATURES, 3)

    def middle(self, x, h, cursor):
        if cursor is None:
            low = self.low(h[:, ::2, ::2]).repeat_interleave(2, 1).repeat_interleave(2, 2)
            return h + low[:, : h.shape[1], : h.shape[2]]
        half = cursor.coarser(2)
        row = cursor.caches.setdefault(self, h.new_zeros(len(h), half.width, FEATURES))
        if cursor.has_work(2):
            row[:, half.front.column] = self.low(h, half)
        return h + row[:, cursor.front.column // 2]


@pytest.mark.parametrize("toy", [TwoStacks, Attention, HalfResolution])
@pytest.mark.parametrize("size", [(5, 7), (4, 4)])
def test_one_forward_serves_pass_and_walk(toy, size):
    model = toy().double().eval()
    x = images_for(model, 2, size)
    naive = logits_by_site(NaiveStepper(model), x, None)
    cached = logits_by_site(CachedStepper(model), x, None)
    torch.testing.assert_close(cached, naive, rtol=0, atol=1e-10)
