from functools import partial

import pytest
import torch
import torch.nn.functional as F

from pixelcnn.nn import Condition, Cursor, DownConv, DownRightConv, GatedResidual, concat_elu
from pixelcnn.order import Front, RasterOrder

H = torch.randn(2, 4, 5, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
AUX = torch.randn(2, 4, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def test_the_block_is_the_formula_of_the_paper():
    block = GatedResidual(6, DownConv, num_aux=4, condition=Condition(num_labels=3)).double()
    torch.nn.init.normal_(block.cond_bias.weight)
    labels, added = torch.tensor([0, 2]), torch.randn_like(H)
    middle = block.first(concat_elu(H)) + block.aux(concat_elu(AUX)) + added
    value, opening = (
        block.second(concat_elu(middle)) + block.cond_bias.weight[labels][:, None, None]
    ).chunk(2, -1)
    expected = H + value * opening.sigmoid()
    torch.testing.assert_close(block(H, labels, aux=AUX, added=added), expected)


def test_plain_activations_take_features_as_they_are():
    block = GatedResidual(6, DownConv, num_aux=4, concatenate=False).double()
    middle = block.first(F.elu(H)) + block.aux(F.elu(AUX))
    value, opening = block.second(F.elu(middle)).chunk(2, -1)
    torch.testing.assert_close(block(H, aux=AUX), H + value * opening.sigmoid())


def test_a_new_block_changes_little():
    change = GatedResidual(6, DownConv).double()(H) - H
    assert 0 < change.std() < 0.15


def test_colours_see_earlier_colours_only():
    conv = partial(DownRightConv, groups=3)
    block = GatedResidual(6, conv, num_aux=6, groups=3).double()
    h, aux = H.clone().requires_grad_(), H.clone().requires_grad_()
    block(h, aux=aux)[0, 2, 2, 2:4].sum().backward()
    for gradient in (h.grad, aux.grad):
        assert (gradient[0, 2, 2, :4] != 0).all()
        assert (gradient[0, 2, 2, 4:] == 0).all()


def test_dropout_acts_in_training_only():
    block = GatedResidual(6, DownConv, dropout=0.5).double()
    assert not torch.equal(block(H), block(H))
    block.eval()
    assert torch.equal(block(H), block(H))


@torch.no_grad()
def test_rows_one_after_another_equal_the_whole_pass():
    condition = Condition(num_map_channels=2)
    block = GatedResidual(6, DownConv, num_aux=4, condition=condition, by_row=True).double()
    torch.nn.init.normal_(block.cond_bias.weight)
    cond = torch.randn(2, 2, 4, 5).double()
    cursor, whole = Cursor(2, 4, 5), block(H, cond, aux=AUX)
    for row in range(4):
        cursor.move(Front(0, row, 0))
        found = block(H[:, row], cond, cursor, aux=AUX[:, row])
        torch.testing.assert_close(found, whole[:, row])


@pytest.mark.parametrize("groups", [1, 2])
@torch.no_grad()
def test_sites_one_after_another_equal_the_whole_pass(groups):
    conv, condition = partial(DownRightConv, groups=groups), Condition(num_attributes=2)
    block = GatedResidual(6, conv, num_aux=4, condition=condition, groups=groups).double()
    torch.nn.init.normal_(block.cond_bias.weight)
    cond, added = torch.randn(2, 2).double(), torch.randn_like(H)
    cursor, whole = Cursor(2, 4, 5, groups=groups), block(H, cond, aux=AUX, added=added)
    for front in RasterOrder(groups, 4, 5).fronts():
        cursor.move(front)
        at = (slice(None), front.row, front.column)
        own, side = H[at][:, cursor.run(6)], AUX[at][:, cursor.run(4)]
        found = block(own, cond, cursor, aux=side, added=added[at][:, cursor.run(6)])
        torch.testing.assert_close(found, whole[at][:, cursor.run(6)])
