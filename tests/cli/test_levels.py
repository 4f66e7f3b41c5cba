"""An estimate in words carries its errors and its doubts."""

import torch

from pixelcnn.cli.levels import in_words
from pixelcnn.inference import LevelEstimate


def test_the_most_probable_levels_come_first_and_doubts_are_loud():
    probabilities = torch.tensor([0.25, 0.75], dtype=torch.float64)
    doubted = LevelEstimate(
        probabilities, probabilities / 10, "smc", 100, 3.0, warnings=("Too few draws.",)
    )
    first, second, third = in_words("smc", doubted).splitlines()
    assert first == "smc: 1: 0.7500 ± 0.0750, 0: 0.2500 ± 0.0250"
    assert "effective draws 3" in second
    assert third.strip() == "NOT TO BE TRUSTED: Too few draws."
