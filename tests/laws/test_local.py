"""What a change of one sub-pixel changes is evaluated where it is felt, and nowhere else."""

import pytest
import torch

from pixelcnn.inference.mcmc.blocks import Blocks
from pixelcnn.inference.mcmc.gibbs import GibbsChains
from pixelcnn.models import build
from pixelcnn.order import RasterOrder, Site
from tests.laws.zoo import condition_for, images_for, make

SIZE = (5, 17)
SITES = [Site(0, 0, 1), Site(0, 3, 15)]


def test_full_conditionals_and_kept_predictions_are_those_of_whole_passes(model):
    x, cond = images_for(model, 2, SIZE), condition_for(model, 2, SIZE)
    known = torch.ones(x.shape[1:], dtype=torch.bool)
    sites = [site._replace(channel=i % model.in_channels) for i, site in enumerate(SITES)]
    for site in sites:
        known[tuple(site)] = False
    chains = GibbsChains(model, x, known, cond=cond, batch_size=3)
    assert sum(map(len, chains.blocks)) == len(sites)
    for _ in chains.sweep():
        pass
    torch.testing.assert_close(chains.log_prob(), model.log_prob(chains.x, cond))
    assert torch.equal(chains.x[:, known], x[:, known])
    site = sites[1]
    nats = []
    for level in range(model.num_classes):
        other = chains.x.clone()
        other[(slice(None), *site)] = level
        nats.append(model.log_prob(other, cond))
    expected = torch.stack(nats, 1).softmax(1)
    torch.testing.assert_close(chains.update(site), expected, rtol=0, atol=1e-10)


def test_windows_of_a_network_with_strides_begin_where_its_tiles_do():
    options = {"num_resnets": 1, "num_resolutions": 2, "hidden_channels": 4, "num_map_channels": 1}
    model = make("pixelcnnpp", {"in_channels": 1, "num_classes": 2, **options})
    field = model.receptive_field()
    size = 5, 2 * (field.columns_left + field.columns_right) + 9
    blocks = Blocks(field, 1, *size)
    window = blocks.single(Site(0, 2, size[1] - 3)).window
    assert window[1].start > 0 and window[1].start % 2 == 0
    x, cond = images_for(model, 1, size), condition_for(model, 1, size)
    known = torch.ones(1, *size, dtype=torch.bool)
    known[0, 2, -5:] = False
    chains = GibbsChains(model, x, known, cond=cond)
    for _ in chains.sweep():
        pass
    torch.testing.assert_close(chains.log_prob(), model.log_prob(chains.x, cond))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("pixelcnn", {"num_residual_blocks": 1}),
        ("gated", {"num_layers": 1, "num_classes": 3}),
        ("pixelcnnpp", {"num_resnets": 1, "num_resolutions": 1, "hidden_channels": 4}),
        ("pixelsnail", {"num_blocks": 1, "num_resnets": 1}),
    ],
)
def test_blocks_cover_what_is_free_once_and_no_factor_sees_two_of_one(name, options):
    model = build(name, in_channels=3, **{"num_classes": 2, "hidden_channels": 6, **options})
    field, size = model.receptive_field(), (9, 40)
    free = torch.rand(3, *size) < 0.3
    blocks = Blocks(field, 3, *size).covering(free)
    visits = torch.zeros(3, *size)
    for block in blocks:
        visits[block.channel, block.rows, block.columns] += 1
        if not field.is_bounded:
            assert len(block) == 1
            continue
        own = set(zip(block.rows.tolist(), block.columns.tolist(), strict=True))
        for pixel in RasterOrder(1, *size):
            seen = {(pixel.row + r, pixel.column + c) for r, c in field.offsets} | {pixel[1:]}
            assert len(seen & own) <= 1
    assert torch.equal(visits, free.float())
    if field.is_bounded:
        assert len(blocks) < free.sum() / 1.5, "sub-pixels share steps"
