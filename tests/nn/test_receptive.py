from pixelcnn.nn import ReceptiveField, window


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
