"""Two models of digits, compared once for all tests."""

import pytest

from pixelcnn.data import load_data
from pixelcnn.metrics import ClassifierFeatures
from pixelcnn.report import Variant, compare
from pixelcnn.report.figures import pictures_of
from tests.report.made import EFFORT, HISTORY, NASTY, made


@pytest.fixture(scope="package")
def data():
    return load_data("digits")


@pytest.fixture(scope="package")
def variants():
    return [
        Variant("plain", made(0), {"seed": 0, "out": "a"}, HISTORY),
        Variant(NASTY, made(1, num_labels=10), {"seed": 1, "out": "b", "model.num_labels": 10}),
    ]


@pytest.fixture(scope="package")
def found(variants, data):
    return compare(variants, data, effort=EFFORT, features=ClassifierFeatures("digits"))


@pytest.fixture(scope="package")
def pictures(found):
    return pictures_of(found)
