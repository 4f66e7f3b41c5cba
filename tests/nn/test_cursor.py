from pixelcnn.nn import Cursor, MaskedConv2d
from pixelcnn.order import Front, RasterOrder


def test_newest_is_the_front_before():
    cursor = Cursor(1, 2, 2, groups=2)
    seen = []
    for front in RasterOrder(2, 2, 2).fronts():
        cursor.move(front)
        seen.append(cursor.newest)
    assert seen == [None, *list(RasterOrder(2, 2, 2).fronts())[:-1]]


def test_rows_are_computed_once_each():
    cursor, owner, calls = Cursor(1, 3, 4), MaskedConv2d("A", 1, 1, 1), []
    for front in RasterOrder(1, 3, 4).fronts():
        cursor.move(front)
        assert cursor.per_row(owner, lambda: calls.append(1) or len(calls)) == front.row + 1
    assert len(calls) == 3


def test_a_coarser_level_follows_where_it_has_work():
    cursor = Cursor(1, 3, 5, groups=2)
    visited = []
    for front in RasterOrder(2, 3, 5).fronts():
        cursor.move(front)
        if cursor.has_work(2):
            visited.append(cursor.coarser(2).front)
    assert visited == list(RasterOrder(2, 2, 3).fronts())
    assert (cursor.coarser(2).height, cursor.coarser(2).width) == (2, 3)


def test_runs_share_the_features_among_the_colours():
    cursor = Cursor(1, 1, 1, groups=3)
    cursor.move(Front(1, 0, 0))
    assert list(range(12))[cursor.run(12)] == [4, 5, 6, 7]


def test_one_step_behind_is_at_the_newest_front():
    cursor, fronts = Cursor(1, 2, 3, groups=2), list(RasterOrder(2, 2, 3).fronts())
    for step, front in enumerate(fronts):
        cursor.move(front)
        assert cursor.token == step
        if step == 0:
            continue
        assert (cursor.behind.front, cursor.behind.token) == (fronts[step - 1], step - 1)
        assert cursor.behind.newest == (fronts[step - 2] if step > 1 else None)


def test_what_waits_for_its_own_sub_pixel_may_be_reached_for_before_there_is_one():
    cursor, fronts = Cursor(1, 1, 3), list(RasterOrder(1, 1, 3).fronts())
    for front in fronts:
        cursor.move(front)
        behind = cursor.behind
    assert (behind.front, behind.newest) == (fronts[1], fronts[0])
