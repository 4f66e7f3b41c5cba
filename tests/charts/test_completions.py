"""The figure shows known pixels, completions, their mean and their uncertainty."""

import torch

from pixelcnn.charts.completions import completions_figure
from pixelcnn.inference import Completions
from pixelcnn.plots import UNKNOWN


def test_a_row_shows_known_pixels_completions_mean_and_uncertainty():
    images = torch.randint(3, (1, 4, 1, 2, 3))
    known = torch.zeros(1, 1, 2, 3, dtype=torch.bool)
    known[..., 0, :] = True
    nats = -torch.arange(4.0)[None]
    found = Completions(images, nats, nats, known, "raster")
    figure = completions_figure(images[:, 0], found, levels=3, names=["it"], most=2)
    given, first, second, mean, uncertainty = (a.images[0].get_array() for a in figure.axes[:5])
    assert (given[1] == UNKNOWN).all() and (given[0, 0] == images[0, 0, 0, 0, 0].item() / 2).all()
    assert first.shape == second.shape == (2, 3)
    assert torch.allclose(torch.tensor(mean[:, :, 0]), found.mean[0, 0] / 2)
    assert torch.equal(torch.tensor(uncertainty.data), found.uncertainty[0, 0])
    assert figure.axes[1].get_title() == "-0.0 nats"


def test_colours_stay_colours():
    images = torch.randint(256, (2, 3, 3, 2, 2))
    nats, known = torch.zeros(2, 3), torch.ones(2, 3, 2, 2, dtype=torch.bool)
    found = Completions(images, nats, nats, known, "raster")
    figure = completions_figure(images[:, 0], found, levels=256, names=["a", "b"])
    expected = images[0, 0].permute(1, 2, 0) / 255
    assert torch.allclose(torch.tensor(figure.axes[0].images[0].get_array()).float(), expected)


def test_unreliable_completions_are_marked():
    images, nats = torch.zeros(1, 3, 1, 2, 2).long(), torch.zeros(1, 3)
    known = torch.ones(1, 1, 2, 2).bool()
    for warnings in ((), ("They disagree.",)):
        found = Completions(images, nats, nats, known, "smc", warnings=warnings)
        figure = completions_figure(images[:, 0], found, levels=2, names=["it"])
        assert ("unreliable" in figure.get_suptitle()) == bool(warnings)
