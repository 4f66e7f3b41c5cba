"""Outliers are told by p(x), and by what mends it."""

import math

import pytest
import torch

from pixelcnn.errors import ConfigError
from pixelcnn.evaluation import detect_ood, roc_auc
from pixelcnn.inference import score_unconditionally
from pixelcnn.metrics.complexity import png_bits
from pixelcnn.models import PixelCNN


def made(**options) -> PixelCNN:
    torch.manual_seed(0)
    model = PixelCNN(num_residual_blocks=1, hidden_channels=4, **options)
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.4)
    return model.eval()


@pytest.fixture
def kinds():
    """Inliers and outliers of 4 levels."""
    generator = torch.Generator().manual_seed(0)
    inliers = torch.randint(4, (6, 1, 5, 5), generator=generator)
    return inliers, torch.randint(2, (4, 1, 5, 5), generator=generator)


def test_the_area_is_the_share_of_pairs_in_order():
    generator = torch.Generator().manual_seed(0)
    inliers, outliers = (torch.randint(9, (n,), generator=generator).double() for n in (40, 30))
    pairs = outliers[None] - inliers[:, None]
    share = ((pairs > 0).double() + (pairs == 0).double() / 2).mean().item()
    assert roc_auc(inliers, outliers).auc == pytest.approx(share)


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
    inliers, outliers = (torch.randint(4, (n,), generator=generator).double() for n in (40, 30))
    found, turned = roc_auc(inliers, outliers), roc_auc(-inliers, -outliers)
    assert (1 - turned.auc, turned.stderr) == pytest.approx((found.auc, found.stderr))


def test_a_single_image_of_a_kind_has_no_standard_error():
    assert roc_auc(torch.tensor([1.0]), torch.tensor([2.0, 3.0])) == (1.0, None)


def test_scores_are_as_they_are_called(kinds):
    inliers, outliers = kinds
    model, background = made(num_classes=4, num_labels=2), made(num_classes=4)
    found = detect_ood(model, inliers, outliers, background=background)
    bits = score_unconditionally(model, outliers).nats / math.log(2)
    of_background = score_unconditionally(background, outliers).nats / math.log(2)
    expected = {
        "likelihood": bits,
        "likelihood_ratio": bits - of_background,
        "complexity_corrected": bits - png_bits(outliers, 4),
    }
    assert found.outliers.keys() == expected.keys() == found.auc.keys()
    for method, scores in expected.items():
        assert torch.allclose(found.outliers[method], scores, atol=1e-4)
        assert found.auc[method] == roc_auc(found.inliers[method], found.outliers[method])


def test_a_model_is_no_background_of_itself(kinds):
    model = made(num_classes=4)
    assert detect_ood(model, *kinds, background=model).auc["likelihood_ratio"].auc == 0.5
    assert "likelihood_ratio" not in detect_ood(model, *kinds).auc


def test_a_background_of_other_images_is_refused(kinds):
    with pytest.raises(ConfigError, match="must be of 4 levels and 1 channels as the model is"):
        detect_ood(made(num_classes=4), *kinds, background=made(num_classes=5))
