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
    cursor = Cursor(1, 3, 5)
    visited = []
    for front in RasterOrder(1, 3, 5).fronts():
        cursor.move(front)
        if cursor.has_work(2):
            visited.append(cursor.coarser(2).front)
    assert visited == [Front(0, row, column) for row in range(2) for column in range(3)]
    assert (cursor.coarser(2).height, cursor.coarser(2).width) == (2, 3)


def test_runs_share_the_features_among_the_colours():
    cursor = Cursor(1, 1, 1, groups=3)
    cursor.move(Front(1, 0, 0))
    assert list(range(12))[cursor.run(12)] == [4, 5, 6, 7]
