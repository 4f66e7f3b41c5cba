"""The figure of a posterior names the labels that were once likely."""

import torch

from pixelcnn.charts.posterior import posterior_figure


def test_lines_are_the_probabilities_and_only_likely_labels_are_named():
    probabilities = torch.tensor([[[0.3, 0.3, 0.4], [0.9, 0.05, 0.05], [0.95, 0.04, 0.01]]])
    figure = posterior_figure(
        torch.zeros(1, 1, 1, 2).long(),
        probabilities.log(),
        levels=2,
        names=["cat", "dog", "owl"],
        titles=["it"],
    )
    right = figure.axes[1]
    assert torch.allclose(torch.tensor(right.lines[0].get_ydata()), probabilities[0, :, 0])
    assert [text.get_text() for text in right.get_legend().get_texts()] == ["cat"]


def test_of_many_labels_the_most_probable_is_named_though_none_is_likely():
    posterior = torch.full((1, 3, 10), 0.1)
    posterior[:, -1] = torch.tensor([0.09] * 9 + [0.19])
    x, names = torch.zeros(1, 1, 1, 2).long(), [str(number) for number in range(10)]
    figure = posterior_figure(x, posterior.log(), levels=2, names=names, titles=["it"])
    assert [text.get_text() for text in figure.axes[1].get_legend().get_texts()] == ["9"]
