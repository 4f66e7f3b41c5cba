from fractions import Fraction

import pytest
import torch

from pixelcnn.data.transforms import (
    choose_flips,
    flip,
    jitter_colours,
    resize,
    sample_binary,
    sample_binary_fixed,
    threshold,
)


@pytest.mark.parametrize("levels", [2, 3, 17, 255, 256, 65_536])
def test_threshold_maps_exactly_the_upper_half_to_one(levels):
    x = torch.arange(levels)
    expected = [int(Fraction(level, levels - 1) > Fraction(1, 2)) for level in range(levels)]
    assert threshold(x, levels=levels).tolist() == expected


def test_threshold_of_eight_bits_in_a_byte_does_not_wrap():
    x = torch.arange(256, dtype=torch.uint8)
    assert threshold(x, levels=256).sum() == 128


@pytest.mark.parametrize("levels", [2, 17, 256, 65_536])
@pytest.mark.parametrize("size", [(4, 4), (16, 16), (3, 9)])
def test_resizing_keeps_every_constant_image(levels, size):
    x = torch.arange(levels).unique() if levels < 300 else torch.arange(0, levels, 257)
    flat = x[:, None, None, None].expand(-1, 1, 8, 8)
    resized = resize(flat, levels=levels, size=size)
    assert resized.shape == (len(x), 1, *size)
    assert torch.equal(resized[:, :, 0, 0], x[:, None])
    assert (resized == resized[:, :, :1, :1]).all()


def test_resizing_to_the_same_size_changes_nothing():
    x = torch.randint(17, (2, 3, 5, 7))
    assert torch.equal(resize(x, levels=17, size=(5, 7)), x)


def test_resizing_covers_the_size_and_crops_the_centre():
    x = torch.zeros(1, 1, 4, 8, dtype=torch.long)
    x[..., 2:6] = 9
    assert (resize(x, levels=10, size=(4, 4)) == 9).all()


def test_resizing_averages_instead_of_dropping_pixels():
    checks = (torch.arange(16)[:, None] + torch.arange(16)) % 2 * 16
    centre = resize(checks[None, None], levels=17, size=(4, 4))[0, 0, 1:3, 1:3]
    assert (centre == 8).all()


def test_binary_samples_have_the_probability_of_the_level():
    # 20,000 draws each: six standard deviations, false alarm below 1e-7 for all levels together.
    generator = torch.Generator().manual_seed(0)
    x = torch.arange(5)[:, None].expand(5, 20_000)
    share = sample_binary(x, levels=5, generator=generator).double().mean(1)
    expected = torch.arange(5) / 4
    assert ((share - expected).abs() <= 6 * (expected * (1 - expected) / 20_000).sqrt()).all()


def test_black_and_white_stay():
    generator = torch.Generator().manual_seed(0)
    x = torch.tensor([0, 16]).repeat(10_000)
    assert torch.equal(sample_binary(x, levels=17, generator=generator), x // 16)


def test_the_draw_once_and_for_all_depends_on_the_image_alone():
    x = torch.randint(256, (5, 1, 8, 8), dtype=torch.uint8)
    drawn = sample_binary_fixed(x, levels=256)
    assert torch.equal(sample_binary_fixed(x.flip(0), levels=256), drawn.flip(0))
    assert torch.equal(sample_binary_fixed(x[3:4].long(), levels=256), drawn[3:4])
    assert not torch.equal(drawn[0], drawn[1])


def test_flips_mirror_some_images_and_leave_the_others():
    x = torch.randint(256, (64, 1, 2, 3))
    chosen = choose_flips(64, generator=torch.Generator().manual_seed(0))
    flipped = flip(x, chosen)
    assert torch.equal(flipped[chosen], x[chosen].flip(-1))
    assert torch.equal(flipped[~chosen], x[~chosen])
    assert 16 < chosen.sum() < 48


def test_jitter_is_three_factors_of_each_image_rounded_to_the_nearest_level():
    x = torch.randint(256, (5, 3, 6, 7), generator=torch.Generator().manual_seed(1))
    changed = jitter_colours(x, 0.4, generator=torch.Generator().manual_seed(2))
    drawn = torch.rand(5, 3, generator=torch.Generator().manual_seed(2))
    for image, got, factors in zip(x, changed, 1 + 0.4 * (2 * drawn - 1), strict=True):
        wanted = (image / 255 * factors[0]).clamp(0, 1)
        weights = torch.tensor([0.2989, 0.587, 0.114])[:, None, None]
        mean = (wanted * weights).sum(0).mean()
        wanted = (factors[1] * wanted + (1 - factors[1]) * mean).clamp(0, 1)
        grey = (wanted * weights).sum(0)
        wanted = (factors[2] * wanted + (1 - factors[2]) * grey).clamp(0, 1)
        # A value that lies between two levels may go either way in float32.
        assert (255 * wanted - got).abs().max() < 0.501
    assert changed.dtype == torch.int64 and changed.min() >= 0 and changed.max() <= 255


def test_no_jitter_changes_no_level():
    x = torch.arange(256).repeat(3).reshape(1, 3, 16, 16)
    assert torch.equal(jitter_colours(x, 0.0, generator=torch.Generator()), x)
