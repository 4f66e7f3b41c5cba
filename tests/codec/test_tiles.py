"""Windows cover an image once, and see only what earlier waves have coded."""

import pytest
import torch

from pixelcnn.codec.tiles import num_windows, spans, waves

SIZES = [(5, 7), (8, 8), (9, 8), (16, 24), (33, 17), (1, 40)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("context", [0, 2, 4])
def test_every_pixel_is_coded_once_after_what_its_window_sees(size, context):
    coded = torch.zeros(size, dtype=torch.int64)
    for wave in waves(size, (8, 8), context):
        before = coded.clone()
        for window in wave:
            inside = coded[window.row : window.row + 8, window.column : window.column + 8]
            known = before[window.row : window.row + 8, window.column : window.column + 8] > 0
            assert known[: window.known_rows].all()
            assert known[:, : window.known_columns].all()
            inside[window.known_rows :, window.known_columns :] += 1
    assert (coded == 1).all()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("context", [0, 2, 4])
def test_windows_are_counted_without_being_listed(size, context):
    listed = sum(len(wave) for wave in waves(size, (8, 8), context))
    assert num_windows(size, (8, 8), context) == listed


def test_windows_see_at_least_the_context_and_have_one_size():
    for span in spans(100, 8, 3)[1:]:
        assert span.known >= 3
        assert span.start + 8 <= 100


def test_without_context_whole_windows_do_not_wait():
    assert len(waves((16, 24), (8, 8), 0)) == 1
    assert len(waves((16, 24), (8, 8), 2)) > 1


def test_numbers_of_a_large_image_are_counted_at_once():
    assert num_windows((2**26, 2**26), (8, 8), 4) == (2**24 - 1) ** 2
