"""The text of an estimate has its errors, diagnostics and warnings."""

import math

import torch

from pixelcnn.cli.outputs.level_estimates import describe_diagnostic, describe_estimate
from pixelcnn.inference import LevelEstimate


def test_the_text_has_errors_diagnostics_and_warnings():
    probabilities = torch.tensor([0.25, 0.75], dtype=torch.float64)
    unreliable = LevelEstimate(
        probabilities, probabilities / 10, "smc", 100, 3.0, warnings=("Unreliable: ESS 3.",)
    )
    first, second, third = describe_estimate("smc", unreliable)
    assert first == "smc: 1: 0.7500 ± 0.0750, 0: 0.2500 ± 0.0250"
    assert "ESS 3" in second
    assert third.strip() == "Unreliable: ESS 3."


def test_exact_estimates_have_no_line_of_diagnostics():
    certain = LevelEstimate(torch.ones(1).double(), torch.zeros(1).double(), "gibbs", 0, math.inf)
    assert describe_estimate("gibbs", certain) == ["gibbs: 0: 1.0000"]


def test_log_evidence_is_in_nats_without_rounding_errors():
    assert describe_diagnostic("log_evidence", 8.648e-08) == "log evidence 0.0000 nats"
    assert describe_diagnostic("log_evidence", -1234.56789) == "log evidence -1234.5679 nats"
    assert describe_diagnostic("largest_weight", 0.02512) == "largest weight 0.02512"
