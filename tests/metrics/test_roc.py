"""The area under the ROC curve and its standard error."""

import pytest
import torch
from scipy.stats import mannwhitneyu

from pixelcnn.metrics.roc import roc_auc


def test_the_area_is_the_share_of_pairs_in_order_as_scipy_counts_them():
    generator = torch.Generator().manual_seed(0)
    negatives, positives = (torch.randint(9, (n,), generator=generator).double() for n in (40, 30))
    pairs = positives[None] - negatives[:, None]
    share = ((pairs > 0).double() + (pairs == 0).double() / 2).mean().item()
    assert roc_auc(negatives, positives).auc == pytest.approx(share)
    statistic = mannwhitneyu(positives.numpy(), negatives.numpy()).statistic
    assert roc_auc(negatives, positives).auc == pytest.approx(statistic / (40 * 30))


def test_the_standard_error_is_that_of_other_images():
    generator = torch.Generator().manual_seed(0)
    found = [
        roc_auc(torch.randn(60, generator=generator), 1 + torch.randn(40, generator=generator))
        for _ in range(200)
    ]
    areas = torch.tensor([each.auc for each in found])
    errors = torch.tensor([each.stderr for each in found])
    # The spread of 200 areas is known to 5 %: more than 20 % off happens less than once in 10,000.
    assert errors.mean().item() == pytest.approx(areas.std().item(), rel=0.2)


def test_ties_count_half_in_the_standard_error_too():
    generator = torch.Generator().manual_seed(0)
    negatives, positives = (torch.randint(4, (n,), generator=generator).double() for n in (40, 30))
    found, turned = roc_auc(negatives, positives), roc_auc(-negatives, -positives)
    assert (1 - turned.auc, turned.stderr) == pytest.approx((found.auc, found.stderr))


def test_a_single_score_has_no_standard_error():
    assert roc_auc(torch.tensor([1.0]), torch.tensor([2.0, 3.0])) == (1.0, None)
