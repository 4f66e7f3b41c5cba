"""Labels are matched by name."""

from dataclasses import replace

import pytest
import torch

from pixelcnn.data import load_data
from pixelcnn.evaluation import labels_by_name
from pixelcnn.nn import Condition

DIGITS = tuple("0123456789")


@pytest.fixture(scope="module")
def data():
    return load_data("digits")


@pytest.mark.parametrize(
    "condition",
    [Condition(num_labels=10, names=DIGITS), Condition(num_labels=10), Condition()],
    ids=["same names", "no names", "no labels"],
)
def test_labels_are_kept_unless_names_differ(condition, data):
    assert labels_by_name(condition, data) == (data, None)


def test_names_decide_not_numbers(data):
    backwards = Condition(num_labels=11, names=("other", *reversed(DIGITS)))
    found, why = labels_by_name(backwards, data)
    assert why is None
    assert torch.equal(found.test.labels, 10 - data.test.labels)
    assert found.label_names == backwards.names
    assert torch.equal(found.test.images, data.test.images)


def test_labels_of_other_classes_are_removed(data):
    clothes = replace(data, label_names=("T-shirt", *DIGITS[1:]))
    found, why = labels_by_name(Condition(num_labels=10, names=DIGITS), clothes)
    assert found.test.labels is None and found.train.labels is None and found.label_names is None
    assert why == (
        "the labels of the images (T-shirt, 1, 2 and 7 more) are not those of the model "
        "(0, 1, 2 and 7 more)"
    )
    assert data.test.labels is not None
