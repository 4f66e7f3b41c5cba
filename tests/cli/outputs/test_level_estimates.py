"""An estimate in words carries its errors and its warnings."""

import math

import torch

from pixelcnn.cli.outputs.level_estimates import describe_diagnostic, describe_estimate
from pixelcnn.inference import LevelEstimate


def test_the_most_probable_levels_come_first_and_warnings_last():
    probabilities = torch.tensor([0.25, 0.75], dtype=torch.float64)
    doubted = LevelEstimate(
        probabilities, probabilities / 10, "smc", 100, 3.0, warnings=("Too few draws.",)
    )
    first, second, third = describe_estimate("smc", doubted).splitlines()
    assert first == "smc: 1: 0.7500 ± 0.0750, 0: 0.2500 ± 0.0250"
    assert "effective draws 3" in second
    assert third.strip() == "WARNING: Too few draws."


def test_what_is_known_for_certain_has_no_line_of_figures():
    certain = LevelEstimate(torch.ones(1).double(), torch.zeros(1).double(), "gibbs", 0, math.inf)
    assert describe_estimate("gibbs", certain) == "gibbs: 0: 1.0000"


def test_a_logarithm_is_told_in_nats_and_without_rounding_errors():
    assert describe_diagnostic("log_evidence", 8.648e-08) == "log evidence 0.0000 nats"
    assert describe_diagnostic("log_evidence", -1234.56789) == "log evidence -1234.5679 nats"
    assert describe_diagnostic("largest_weight", 0.02512) == "largest weight 0.02512"
