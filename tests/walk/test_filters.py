import pytest
import torch

from pixelcnn.errors import ConfigError
from pixelcnn.walk import Filter

INF = float("inf")


def test_the_defaults_change_nothing():
    logits = torch.randn(3, 5)
    assert torch.equal(Filter()(logits), logits)


def test_temperature_divides_the_logits():
    halved = Filter(temperature=0.5)(torch.tensor([[1.0, 2.0]]))
    assert (halved[0, 1] - halved[0, 0]).item() == 2.0


def test_the_lowest_temperature_samples_the_most_probable_level():
    logits = 1e36 * torch.tensor([[1.0, 2.0, -300.0], [0.0, 0.0, -1.0]])
    probabilities = Filter(temperature=1e-6)(logits).softmax(1)
    assert probabilities.tolist() == [[0.0, 1.0, 0.0], [0.5, 0.5, 0.0]]


@pytest.mark.parametrize("top_k", [1, 2, 3, 4, 9])
def test_exactly_k_survive_also_among_ties(top_k):
    for logits in (torch.zeros(2, 4), torch.tensor([[3.0, 1.0, 3.0, 1.0]])):
        kept = Filter(top_k=top_k)(logits).isfinite().sum(1)
        assert (kept == min(top_k, 4)).all()


def test_top_p_keeps_the_fewest_levels_that_reach_p():
    logits = torch.tensor([[0.1, 0.5, 0.15, 0.25]]).log()
    for top_p, kept in (
        (0.4, [1]),
        (0.5, [1]),
        (0.6, [1, 3]),
        (0.8, [1, 2, 3]),
        (1.0, [0, 1, 2, 3]),
    ):
        found = Filter(top_p=top_p)(logits.double() if top_p == 0.5 else logits)
        assert found.isfinite()[0].nonzero()[:, 0].tolist() == kept, top_p


def test_top_p_always_keeps_one():
    assert Filter(top_p=1e-9)(torch.zeros(1, 4)).isfinite().sum() == 1


def test_filters_work_together():
    logits = torch.tensor([[4.0, 3.0, 2.0, 1.0]])
    assert Filter(temperature=2, top_k=3, top_p=0.9)(logits).isfinite().sum() == 3
    assert Filter(temperature=0.1, top_k=3, top_p=0.9)(logits).isfinite().sum() == 1


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"temperature": 0}, "temperature"),
        ({"temperature": -1}, "temperature"),
        ({"temperature": 1e-320}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"temperature": INF}, "temperature"),
        ({"top_k": 0}, "top_k"),
        ({"top_p": 0}, "top_p"),
        ({"top_p": 1.1}, "top_p"),
        ({"top_p": float("nan")}, "top_p"),
    ],
)
def test_settings_out_of_range_are_refused_by_name(options, name):
    with pytest.raises(ConfigError, match=name):
        Filter(**options)
