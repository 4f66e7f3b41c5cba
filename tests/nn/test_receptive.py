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
    assert ReceptiveField.covering(offsets) == (3, 2, 1, offsets, False, ())
