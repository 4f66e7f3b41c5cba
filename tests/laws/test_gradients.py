"""Every weight takes part in every step: processes that average gradients wait for each of them."""

import pytest

from tests.laws.test_guidance import optional_cases
from tests.laws.zoo import cases, condition_for, images_for, make


@pytest.mark.parametrize("case", [*cases(), *optional_cases()])
def test_every_parameter_has_a_gradient_in_training(case):
    model = make(*case).train()
    x, cond = images_for(model, 2, (4, 4)), condition_for(model, 2, (4, 4))
    model.log_prob(x, cond).mean().backward()
    assert not [name for name, each in model.named_parameters() if each.grad is None]
