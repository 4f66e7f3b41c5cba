"""The fixture that tries a law on every model."""

import pytest

from pixelcnn.models import AutoregressiveModel
from tests.laws.zoo import cases, make


@pytest.fixture(params=cases())
def model(request: pytest.FixtureRequest) -> AutoregressiveModel:
    """Each model that the laws hold for."""
    return make(*request.param)
