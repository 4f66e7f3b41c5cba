"""A certificate is a file that says of which weights it speaks."""

import json
import math
from dataclasses import replace

import pytest
import torch

from pixelcnn.errors import CheckpointError
from pixelcnn.models import PixelCNN
from pixelcnn.spec import ImageSpec
from pixelcnn.verification import Line, VerificationReport, read_report, verify


@pytest.fixture
def certificate():
    found = {"measure": "sites", "looked_at": "all 4 sub-pixels", "is_sample": False}
    return VerificationReport(
        lines=(
            Line("derivatives", "Nothing leaks.", 0.0, 0.0, **found, seconds=0.5),
            Line("draws", "Draws are right.", 0.3, 1e-6, **found, is_least=True),
        ),
        fingerprint="0123456789abcdef",
        architecture="pixelcnn",
        spec=ImageSpec(1, 2, 2, 17),
        dtype="float32",
        device="cpu",
        seed=3,
        made="2026-01-02T03:04:05+00:00",
        versions={"pixelcnn": "0.1.0"},
    )


def with_figure(certificate, figure):
    first, *others = certificate.lines
    return replace(certificate, lines=(replace(first, figure=figure), *others))


def test_a_certificate_comes_back_from_its_file(certificate, tmp_path):
    path = tmp_path / "new" / "model.certificate.json"
    certificate.save(path)
    assert read_report(path) == certificate
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    facts = json.loads(path.read_text())
    assert facts["passed"] is True
    assert facts["lines"][0]["looked_at"] == "all 4 sub-pixels"


@pytest.mark.parametrize("figure", [1e-30, math.nan, math.inf])
def test_a_line_above_its_limit_fails_and_stays_failed_in_the_file(certificate, tmp_path, figure):
    broken = with_figure(certificate, figure)
    assert (broken.passed, broken.failed) == (False, ["derivatives"])
    broken.save(tmp_path / "broken.json")
    text = (tmp_path / "broken.json").read_text()
    assert "NaN" not in text and "Infinity" not in text
    assert read_report(tmp_path / "broken.json").failed == ["derivatives"]


def test_a_file_that_only_claims_to_have_passed_is_not_believed(certificate, tmp_path):
    facts = with_figure(certificate, 0.5).as_dict()
    facts["passed"] = facts["lines"][0]["passed"] = True
    (tmp_path / "forged.json").write_text(json.dumps(facts))
    assert not read_report(tmp_path / "forged.json").passed


def test_no_lines_prove_nothing(certificate):
    assert not replace(certificate, lines=()).passed


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "pixelcnn-certificate/9"}', "\xff"])
def test_a_damaged_file_is_one_error(tmp_path, text):
    path = tmp_path / "damaged.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(CheckpointError, match="no certificate that this version can read"):
        read_report(path)
    with pytest.raises(CheckpointError):
        read_report(tmp_path / "missing.json")


def test_a_certificate_is_of_these_very_weights():
    model = PixelCNN(hidden_channels=4, num_residual_blocks=1, image_size=3, num_classes=2)
    certificate = verify(model, sites=2)
    assert certificate.is_of(model)
    with torch.no_grad():
        model.out.bias.add_(1e-3)
    assert not certificate.is_of(model)
