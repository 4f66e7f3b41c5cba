"""Inputs that once ended in a bug, a hang or a silent answer; each is now refused or shown."""

import io
import json
import struct
import zipfile

import pytest
import torch

from pixelcnn.data.files.decoding import DecodingOptions, read_pixels
from pixelcnn.errors import DataError
from pixelcnn.runs.state import add_checksum
from tests.fuzz.image_files import with_header
from tests.fuzz.model_files import join_card, split_card
from tests.fuzz.mutations import deep
from tests.fuzz.targets import TARGETS
from tests.fuzz.verdicts import ACCEPTED, REFUSED, judge

BY_NAME = {target.name: target for target in TARGETS}


def of_card(**values):
    """A model's card with other values, under a checksum that is right."""

    def change(content):
        tensors, card = split_card(content)
        for key, value in values.items():
            before = json.loads(card[key]) if isinstance(value, dict) else None
            card[key] = json.dumps({**before, **value} if isinstance(before, dict) else value)
        return join_card(tensors, card)

    return change


def of_weights(change):
    """A training state whose first weight is changed, under a checksum that is right."""

    def changed(content):
        state = torch.load(io.BytesIO(content), weights_only=True)
        name = next(iter(state["state_dict"]))
        state["state_dict"][name] = change(state["state_dict"][name])
        buffer = io.BytesIO()
        torch.save(state, buffer)
        return add_checksum(buffer.getvalue())

    return changed


def packed(content):
    """The archive of a state, its members deflated: a small file that fills the memory."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w", 8) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, old.read(entry))
        new.writestr("archive/more", bytes(2**20))
    return add_checksum(buffer.getvalue())


def text(words):
    return lambda content: words.encode()


def nested(depth):
    return text('{"a": ' + deep(depth) + "}")


ALIASES = "\n".join(
    ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    + [
        f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]"
        for old, new in zip("abcdefg", "bcdefgh", strict=True)
    ]
)
CASES = [
    ("model", of_card(training={"figures": 5}), REFUSED),
    ("model", of_card(training={"figures": [[1, 2]]}), REFUSED),
    ("model", of_card(training={"data": "digits"}), REFUSED),
    ("model", of_card(config={"hidden_channels": "!!bool x"}), REFUSED),
    ("model", of_card(config={"hidden_channels": "!!int ''"}), REFUSED),
    ("model", of_card(config={"num_layers": 10**9}), REFUSED),
    ("model", of_card(config={"hidden_channels": 1020, "kernel_size": 31}), REFUSED),
    ("model", of_card(labels=["cat", 1, "owl"]), REFUSED),
    ("state", of_weights(lambda weight: weight * torch.nan), REFUSED),
    ("state", of_weights(lambda weight: torch.zeros(1).expand(2**34)), REFUSED),
    ("state", packed, REFUSED),
    ("metrics.json", text("[[1, 2]]"), ACCEPTED),
    ("metrics.json", nested(600), ACCEPTED),
    ("metrics.json", nested(100_000), ACCEPTED),
    ("environment.json", text('{"starts": [[[1, 2]]]}'), ACCEPTED),
    ("environment.json", text('{"starts": [{"\\ud800": "\\ud800"}]}'), ACCEPTED),
    ("log", text("train_nll,epoch\n1.0\n"), REFUSED),
    ("yaml", text(ALIASES), REFUSED),
    ("yaml", text("model:\n  name: [gated]\n"), REFUSED),
    ("yaml", text("model:\n  hidden_channels: 99999998\n"), REFUSED),
    ("yaml", text('data:\n  data_root: "a\\0b"\n'), REFUSED),
    ("yaml", text("training:\n  learning_rate: " + "9" * 1_900), REFUSED),
    ("yaml", text("model:\n  name: gated\n  num_layers: 99999999\n"), REFUSED),
    ("overrides", text("--training.max_epochs=!!bool x"), REFUSED),
    ("overrides", text("--data.image_size=!!int ''"), REFUSED),
    ("mnist", lambda content: content[:-1] + b"\x0a", REFUSED),
    ("mask", lambda content: content[:50], REFUSED),
]


@pytest.mark.parametrize(("name", "change", "verdict"), CASES)
def test_it_is_refused_or_shown(name, change, verdict, tmp_path):
    target = BY_NAME[name]
    path = target.make(tmp_path)
    assert judge(target, path) == (ACCEPTED, "")
    path.write_bytes(change(path.read_bytes()))
    found, said = judge(target, path)
    assert found == verdict, said


def test_a_folder_in_place_of_a_shard_is_named(tmp_path):
    target = BY_NAME["shard"]
    path = target.make(tmp_path)
    path.unlink()
    path.mkdir()
    for each in ("shard", "resumed"):
        verdict, said = judge(BY_NAME[each], path)
        assert verdict == REFUSED and path.name in said


def test_an_image_of_too_many_pixels_is_not_decoded(tmp_path):
    path = BY_NAME["png"].make(tmp_path)
    size = struct.pack(">II", 9_000, 9_000)
    path.write_bytes(with_header(path.read_bytes(), size + path.read_bytes()[24:29]))
    with pytest.raises(DataError, match="81,000,000 pixels, at most 64,000,000"):
        read_pixels(path, DecodingOptions(channels=1))
