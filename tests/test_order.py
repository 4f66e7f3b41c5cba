import itertools

import pytest
import torch

from pixelcnn.order import Front, RasterOrder, WavefrontOrder


def test_precedes_is_the_raster_order():
    order = RasterOrder(2, 2, 3)
    sites = list(order)
    assert len(sites) == len(order) == 12
    assert [order.index(site) for site in sites] == list(range(12))
    for earlier, later in itertools.combinations(sites, 2):
        assert order.precedes(earlier, later)
        assert not order.precedes(later, earlier)
    assert not order.precedes(sites[3], sites[3])


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (5, 9), (9, 5)])
@pytest.mark.parametrize("lag", [1, 2, 4])
def test_a_wavefront_visits_every_sub_pixel_once(size, lag):
    steps = [list(front.sites()) for front in WavefrontOrder(2, *size, lag=lag).fronts()]
    visited = [site for sites in steps for site in sites]
    assert len(visited) == len(set(visited))
    assert set(visited) == set(RasterOrder(2, *size))
    assert len(steps) == 2 * (size[1] + (size[0] - 1) * lag)


@pytest.mark.parametrize("lag", [2, 4])
def test_all_that_a_wavefront_may_see_was_visited_before(lag):
    done = set()
    for front in WavefrontOrder(1, 6, 11, lag=lag).fronts():
        for _, row, column in front.sites():
            for r, c in itertools.product(range(row + 1), range(11)):
                within_lag = c - column < lag * (row - r) if r < row else c < column
                assert (r, c) in done or not within_lag
        done.update((row, column) for _, row, column in front.sites())


def test_views_of_a_front_are_its_sub_pixels():
    x = torch.arange(2 * 3 * 4 * 9).view(2, 3, 4, 9)
    front = Front(1, row=1, column=8, num_rows=3, lag=4)
    assert front.of(x).tolist() == [x[(slice(None), *site)].tolist() for site in front.sites()]
    front.of(x).fill_(-1)
    assert (x == -1).sum() == 6


def test_views_of_a_part_of_a_batch_are_of_that_part():
    x = torch.arange(4 * 1 * 3 * 3).view(4, 1, 3, 3)
    assert torch.equal(Front(0, 1, 2).of(x[2:])[0], x[2:, 0, 1, 2])
