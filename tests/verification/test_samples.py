"""Chi-square is that of SciPy, and rare cells never raise a false alarm."""

import pytest
import torch
from scipy import stats

from pixelcnn.verification.mass import every_image, every_sequence, sequence_rank
from pixelcnn.verification.samples import chi_square, continuation_length, p_value


def test_the_statistic_and_its_p_value_are_those_of_scipy():
    counts = torch.tensor([18.0, 35.0, 47.0]).double()
    expected = torch.tensor([20.0, 30.0, 50.0]).double()
    statistic, freedom = chi_square(counts, expected)
    known = stats.chisquare(counts.numpy(), expected.numpy())
    assert statistic == pytest.approx(known.statistic)
    assert p_value(statistic, freedom) == pytest.approx(known.pvalue)


def test_one_rare_sample_passes():
    expected = torch.tensor([999.98, 0.01, 0.01]).double()
    assert p_value(*chi_square(torch.tensor([999.0, 1.0, 0.0]).double(), expected)) > 0.01


def test_an_impossible_sample_fails():
    expected = torch.tensor([1000.0, 0.0]).double()
    assert p_value(*chi_square(torch.tensor([999.0, 1.0]).double(), expected)) == 0


def test_every_sequence_is_at_its_rank():
    every = every_sequence(3, 4)
    assert every.shape == (64, 3)
    assert torch.equal(sequence_rank(every, 4), torch.arange(64))
    assert len(every_image(3, 2, (1, 2)).unique(dim=0)) == 64


def test_continuations_are_as_long_as_they_can_be_counted():
    assert [continuation_length(levels, 16) for levels in (2, 3, 17, 256, 65_536)] == [
        9,
        6,
        2,
        1,
        1,
    ]
    assert continuation_length(2, 4) == 4
