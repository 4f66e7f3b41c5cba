import json

import pytest
import torch
from safetensors.torch import load as parse
from safetensors.torch import save as serialise

from pixelcnn.checkpoint import read_card, read_model, save
from pixelcnn.errors import CheckpointError
from pixelcnn.models import GatedPixelCNN
from pixelcnn.tensor_files import CHECKSUM, read_text_header, tensor_checksum
from tests.fuzz.limits import limited


@pytest.fixture
def path(tmp_path):
    model = GatedPixelCNN(num_classes=2, hidden_channels=6, num_layers=3, num_labels=2)
    model.name_condition(["cat", "dog"])
    save(model, tmp_path / "model.safetensors", training={"seed": 1})
    return tmp_path / "model.safetensors"


def rewrite(path, **entries):
    """Other entries of the card, under a checksum that is right."""
    card, tensors = read_text_header(path), parse(path.read_bytes())
    card |= {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in entries.items()
    }
    card[CHECKSUM] = tensor_checksum(card, tensors)
    path.write_bytes(serialise(tensors, metadata=card))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num_layers", 10**9),
        ("num_layers", 20_000),
        ("num_layers", 2.5),
        ("hidden_channels", 60_000),
        ("num_labels", 10**7),
        ("dilations", [2**40]),
        ("image_size", []),
        ("image_size", [8.5, 8]),
        ("kernel_size", None),
        ("no_such", 1),
    ],
)
def test_a_card_that_does_not_describe_its_weights_is_refused_at_once(path, name, value):
    config = {**read_card(path)["config"], name: value}
    rewrite(path, config=config)
    with limited(seconds=2.0, more_bytes=2**29), pytest.raises(CheckpointError) as error:
        read_model(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    "entries",
    [
        {"training": 3},
        {"training": "text"},
        {"training": []},
        {"labels": [1, 2]},
        {"labels": ["a", "b", "c"]},
        {"labels": {"a": 1}},
        {"spec": 7},
        {"config": []},
        {"config": "[" * 10**5},
        {"model": "no such"},
    ],
    ids=str,
)
def test_a_card_of_other_kinds_is_refused(path, entries):
    rewrite(path, **{k: json.dumps(v) if k == "training" else v for k, v in entries.items()})
    with limited(), pytest.raises(CheckpointError):
        read_model(path)


def test_weights_of_another_kind_are_refused(path):
    tensors, card = parse(path.read_bytes()), read_text_header(path)
    tensors["out.bias"] = tensors["out.bias"].to(torch.int32)
    card[CHECKSUM] = tensor_checksum(card, tensors)
    path.write_bytes(serialise(tensors, metadata=card))
    with pytest.raises(CheckpointError, match=r"`out\.bias` is torch\.int32, not torch\.float32"):
        read_model(path)
