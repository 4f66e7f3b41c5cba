"""The bits of PNG files bound the complexity of images."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from pixelcnn.errors import ShapeError
from pixelcnn.metrics.complexity import png_bits


@pytest.mark.parametrize(
    ("levels", "channels"), [(2, 1), (17, 1), (256, 1), (256, 3), (256, 2), (1000, 1), (1000, 3)]
)
def test_noise_takes_at_least_its_entropy_and_a_flat_image_little(levels, channels):
    generator = torch.Generator().manual_seed(0)
    noise = torch.randint(levels, (2, channels, 32, 32), generator=generator)
    entropy = noise[0].numel() * np.log2(levels)
    assert (png_bits(noise, levels) > entropy).all()
    assert (png_bits(torch.zeros_like(noise), levels) < 2000).all()


def test_an_image_takes_the_bits_that_pillow_writes_with_one_bit_a_pixel_of_two_levels():
    def written(pixels) -> int:
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, format="PNG", optimize=True)
        return 8 * len(file.getvalue())

    x = torch.arange(64).view(1, 1, 8, 8)
    assert png_bits(x, 256).item() == written(x[0, 0].numpy().astype(np.uint8))
    x = torch.randint(2, (1, 1, 28, 28), generator=torch.Generator().manual_seed(0))
    assert png_bits(x, 2).item() == written(x[0, 0].numpy().astype(bool))


def test_other_than_images_are_refused():
    with pytest.raises(ShapeError, match="N, C, H, W"):
        png_bits(torch.zeros(8, 8).long(), 2)
