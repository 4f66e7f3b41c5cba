import math

import torch

from pixelcnn.nn import ReceptiveField, through, window, window_above


def test_windows_add_up():
    field = ReceptiveField.of([window("A", 7), window("B", 3), window("B", 3, dilation=2)])
    assert (field.rows_above, field.columns_left, field.columns_right) == (6, 6, 6)


def test_a_first_window_hides_the_own_pixel_unless_its_colours_come_one_by_one():
    assert (0, 0) not in window("A", 3)
    assert (0, 0) in window("A", 3, groups=3)
    assert (0, 0) in window("B", 1)


def test_a_stack_is_blind_above_to_the_right():
    offsets = ReceptiveField.of([window("A", 3)] + 5 * [window("B", 3)]).offsets
    assert (-1, 1) in offsets and (-1, 2) not in offsets
    assert (-2, 2) in offsets and (-2, 3) not in offsets


def test_windows_need_not_be_square():
    assert window("B", (1, 5)) == {(0, -2), (0, -1), (0, 0)}
    assert window("A", (3, 1)) == {(-1, 0)}
    assert window("B", (3, 5), dilation=2) >= {(-2, -4), (-2, 4), (0, -4), (0, 0)}


def test_a_vertical_window_has_all_columns_of_its_rows():
    assert window_above("A", 3) == {(-1, -1), (-1, 0), (-1, 1)}
    own_row = {(0, -2), (0, 0), (0, 2)}
    assert window_above("B", 3, dilation=2) == {(-2, -2), (-2, 0), (-2, 2)} | own_row


def test_stacked_vertical_windows_have_no_blind_spot():
    seen = through(window_above("A", 3), window_above("B", 3))
    assert seen == {(row, column) for row in (-2, -1) for column in range(-2, 3)}


def test_a_field_covers_exactly_what_it_is_given():
    offsets = frozenset({(-3, 1), (0, -2)})
    assert ReceptiveField.covering(offsets)[:4] == (3, 2, 1, offsets)


def test_what_a_recurrent_state_carries_widens_from_row_to_row():
    field = ReceptiveField.of([window("A", 3)], spread=2)
    assert field[:3] == (math.inf, math.inf, math.inf) and not field.is_bounded
    seen = field.mask(4, 10, height=6, width=21)
    spans = [row.nonzero()[[0, -1], 0].tolist() for row in seen[:5]]
    assert spans == [[1, 17], [3, 15], [5, 13], [7, 11], [9, 9]]
    assert not seen[5].any()


def test_a_state_that_spreads_over_rows_sees_all_of_them():
    field = ReceptiveField.of([frozenset({(0, -1)})], spread=math.inf)
    seen = field.mask(2, 0, height=4, width=3)
    assert torch.equal(seen, torch.tensor([[True] * 3] * 2 + [[False] * 3] * 2))
    assert field.describe().startswith("all rows above, all columns")


def test_a_state_that_goes_straight_up_stays_in_its_columns():
    field = ReceptiveField.of([frozenset({(0, -1)})], spread=0)
    assert field[:3] == (math.inf, 1, -1)
    assert field.mask(3, 2, height=4, width=4).nonzero().tolist() == [[r, 1] for r in range(4)]


def test_a_mask_of_a_bounded_field_is_its_offsets_within_the_image():
    field = ReceptiveField.of([window("A", 3), window("B", 3)])
    seen = field.mask(1, 0, height=3, width=4).nonzero().tolist()
    inside = {(1 + r, c) for r, c in field.offsets if r >= -1 and 0 <= c < 4}
    assert {tuple(pixel) for pixel in seen} == inside
