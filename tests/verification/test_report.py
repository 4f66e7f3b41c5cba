"""A verification report is a file that states which weights it is about."""

import json
import math
from dataclasses import replace

import pytest
import torch

from pixelcnn.errors import CheckpointError
from pixelcnn.models import PixelCNN
from pixelcnn.spec import ImageSpec
from pixelcnn.verification import Check, VerificationReport, find_report, read_report, verify


@pytest.fixture
def report():
    found = {"metric": "sites", "scope": "all 4 sub-pixels", "is_sample": False}
    return VerificationReport(
        checks=(
            Check("causality_gradients", "Nothing leaks.", 0.0, 0.0, **found, seconds=0.5),
            Check("samples_follow_likelihood", "Yes.", 0.3, 1e-6, **found, is_minimum=True),
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


def with_value(report, value):
    first, *others = report.checks
    return replace(report, checks=(replace(first, value=value), *others))


def as_certificate(report):
    """The report in the format and words of earlier versions."""
    old = {"value": "figure", "metric": "measure", "scope": "looked_at", "is_minimum": "is_least"}
    names = {"causality_gradients": "derivatives", "samples_follow_likelihood": "draws"}
    facts = report.as_dict()
    lines = [
        {old.get(key, key): value for key, value in check.items()} | {"name": names[check["name"]]}
        for check in facts.pop("checks")
    ]
    return {**facts, "format": "pixelcnn-certificate/1", "lines": lines}


def test_a_report_comes_back_from_its_file(report, tmp_path):
    path = tmp_path / "new" / "model.verification.json"
    report.save(path)
    assert read_report(path) == report
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    facts = json.loads(path.read_text())
    assert facts["passed"] is True
    assert facts["checks"][0]["scope"] == "all 4 sub-pixels"


def test_a_report_of_an_earlier_version_is_found_and_read(report, tmp_path):
    model_file = tmp_path / "model.safetensors"
    assert find_report(model_file) is None
    old = tmp_path / "model.certificate.json"
    old.write_text(json.dumps(as_certificate(report)))
    assert find_report(model_file) == old
    assert read_report(old) == report
    report.save(tmp_path / "model.verification.json")
    assert find_report(model_file) == tmp_path / "model.verification.json"


@pytest.mark.parametrize("value", [1e-30, math.nan, math.inf])
def test_a_check_above_its_limit_fails_also_in_the_file(report, tmp_path, value):
    broken = with_value(report, value)
    assert (broken.passed, broken.failed) == (False, ["causality_gradients"])
    broken.save(tmp_path / "broken.json")
    text = (tmp_path / "broken.json").read_text()
    assert "NaN" not in text and "Infinity" not in text
    assert read_report(tmp_path / "broken.json").failed == ["causality_gradients"]


def test_whether_a_check_passed_is_computed_from_its_value(report, tmp_path):
    facts = with_value(report, 0.5).as_dict()
    facts["passed"] = facts["checks"][0]["passed"] = True
    (tmp_path / "forged.json").write_text(json.dumps(facts))
    assert not read_report(tmp_path / "forged.json").passed


def test_a_report_without_checks_has_not_passed(report):
    assert not replace(report, checks=()).passed


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "{}", "\xff"),
        '{"format": "pixelcnn-verification/9"}',
        '{"format": "pixelcnn-certificate/1"}',
    ],
)
def test_a_damaged_file_is_one_error(tmp_path, text):
    path = tmp_path / "damaged.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(CheckpointError, match="must be a verification report of format"):
        read_report(path)
    with pytest.raises(CheckpointError):
        read_report(tmp_path / "missing.json")


def test_a_report_is_of_one_set_of_weights():
    model = PixelCNN(hidden_channels=4, num_residual_blocks=1, image_size=3, num_classes=2)
    report = verify(model, sites=2)
    assert report.is_of(model)
    with torch.no_grad():
        model.out.bias.add_(1e-3)
    assert not report.is_of(model)
