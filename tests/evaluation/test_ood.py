"""OOD detection scores images by p(x), and by corrections of it."""

import math

import pytest
import torch

from pixelcnn.errors import ConfigError, ShapeError
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


def test_scores_follow_their_definitions(kinds):
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


def test_a_model_as_its_own_background_detects_nothing(kinds):
    model = made(num_classes=4)
    assert detect_ood(model, *kinds, background=model).auc["likelihood_ratio"].auc == 0.5
    assert "likelihood_ratio" not in detect_ood(model, *kinds).auc


def test_images_of_another_size_are_refused(kinds):
    inliers, outliers = kinds
    with pytest.raises(ShapeError, match=r"one shape .* got \(1, 5, 5\) and \(1, 4, 5\)"):
        detect_ood(made(num_classes=4), inliers, outliers[:, :, 1:])


def test_a_background_model_of_other_images_is_refused(kinds):
    with pytest.raises(ConfigError, match="must have 4 levels and 1 channels as the model has"):
        detect_ood(made(num_classes=4), *kinds, background=made(num_classes=5))
