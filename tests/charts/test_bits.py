"""Heat maps show the bits of every image, all on one scale."""

import torch

from pixelcnn.charts.bits import bits_figure


def test_each_image_stands_above_its_map_on_a_shared_scale():
    x = torch.randint(4, (3, 1, 5, 6))
    bits = torch.rand(3, 5, 6)
    figure = bits_figure(x, bits, levels=4, titles=["a", "b", "c"], columns=2)
    panels = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title() for axes in panels if axes.get_title()] == ["a", "b", "c"]
    maps = [axes.images[0] for axes in panels if not axes.get_title()]
    shown = {tuple(map(tuple, image.get_array().tolist())) for image in maps}
    assert shown == {tuple(map(tuple, each.tolist())) for each in bits}
    assert len({image.get_clim() for image in maps}) == 1


def test_images_of_zero_bits_can_be_shown():
    figure = bits_figure(
        torch.zeros(1, 3, 4, 4).long(), torch.zeros(1, 4, 4), levels=256, titles=["black"]
    )
    assert figure.axes[0].get_title() == "black"
