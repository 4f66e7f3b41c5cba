import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from pixelcnn import checkpoint
from pixelcnn.errors import CheckpointError, ConfigError, OutputError
from pixelcnn.models import PixelCNN


@pytest.fixture
def model():
    return PixelCNN(num_classes=3, num_labels=2, image_size=(4, 6), num_residual_blocks=1)


@pytest.fixture
def path(model, tmp_path):
    file = tmp_path / "model.safetensors"
    checkpoint.save(model, file, labels=["a", "b"], training={"epochs": 3})
    return file


def test_the_card_says_how_to_build_and_how_it_came_about(model, path):
    card = checkpoint.read_card(path)
    assert card == {
        "format": checkpoint.FORMAT,
        "model": "pixelcnn",
        "config": model.config,
        "spec": {"channels": 1, "height": 4, "width": 6, "levels": 3},
        "likelihood": "categorical",
        "labels": ["a", "b"],
        "attributes": None,
        "training": {"epochs": 3},
    }


def test_figures_that_are_not_finite_are_none_in_the_card(model, tmp_path):
    figures = {"val_nll_nats": float("inf"), "best_epoch": 1}
    checkpoint.save(model, tmp_path / "m.safetensors", training=figures)
    card = checkpoint.read_card(tmp_path / "m.safetensors")
    assert card["training"] == {"val_nll_nats": None, "best_epoch": 1}


def test_loading_needs_nothing_but_the_file(model, path):
    loaded = checkpoint.read_model(path)
    assert loaded.config == model.config
    assert checkpoint.fingerprint(loaded) == checkpoint.fingerprint(model)
    assert loaded.generate(num_samples=1, cond=0).shape == (1, 1, 4, 6)


def test_names_come_back_with_the_model(path, tmp_path):
    assert checkpoint.read_model(path).condition.names == ("a", "b")
    faces = PixelCNN(num_attributes=2, num_residual_blocks=1, num_classes=2)
    faces.name_condition(["Male", "Smiling"])
    checkpoint.save(faces, tmp_path / "faces.safetensors")
    card = checkpoint.read_card(tmp_path / "faces.safetensors")
    assert (card["labels"], card["attributes"]) == (None, ["Male", "Smiling"])
    loaded = checkpoint.read_model(tmp_path / "faces.safetensors")
    assert loaded.condition.names == ("Male", "Smiling")


def test_fingerprints_tell_weights_and_settings_apart(model):
    before = checkpoint.fingerprint(model)
    with torch.no_grad():
        model.out.bias[0] += 1e-6
    assert checkpoint.fingerprint(model) != before
    assert checkpoint.fingerprint(PixelCNN(num_classes=2)) != checkpoint.fingerprint(
        PixelCNN(dropout=0.1, num_classes=2)
    )


def test_fingerprints_stay_when_a_version_knows_more_settings(model):
    before = checkpoint.fingerprint(model)
    model.image_size = (9, 9)
    del model.config["dilations"]  # left at its default, as an older version would not know it
    assert checkpoint.fingerprint(model) == before


def test_no_pickle_is_in_the_file(path):
    with safe_open(path, framework="pt") as file:
        assert set(file.keys()) == set(checkpoint.read_model(path).state_dict())


def write_with_header(path, **changes):
    header = {"format": checkpoint.FORMAT, "model": "pixelcnn", "likelihood": "bernoulli"}
    header |= {"config": "{}", "spec": "null", "labels": "null", "training": "{}"} | changes
    save_file({"w": torch.zeros(1)}, path, metadata={k: v for k, v in header.items() if v})


@pytest.mark.parametrize(
    ("header", "word"),
    [
        ({"format": None}, "not written by this package"),
        ({"format": "pixelcnn/99"}, "pixelcnn/99"),
        ({"config": "{"}, "damaged card"),
        ({"labels": None}, "damaged card"),
        ({"model": "pixelrnn"}, "registers it first"),
        ({"config": json.dumps({"depth": 3})}, "can build"),
        ({"config": json.dumps({"dropout": 7})}, "can build"),
        ({}, "can build"),
    ],
)
def test_foreign_and_damaged_cards_are_refused_in_one_line(header, word, tmp_path):
    path = tmp_path / "model.safetensors"
    write_with_header(path, **header)
    with pytest.raises(CheckpointError, match=word) as error:
        checkpoint.read_model(path)
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)


def test_missing_files_folders_and_other_files_are_refused(tmp_path):
    with pytest.raises(CheckpointError, match="is missing"):
        checkpoint.read_model(tmp_path / "nothing.safetensors")
    with pytest.raises(CheckpointError, match="is a folder"):
        checkpoint.read_model(tmp_path)
    for content in (b"", b"hello", b"\x80\x02}q\x00.", b"PK\x03\x04" + bytes(30)):
        (tmp_path / "other").write_bytes(content)
        with pytest.raises(CheckpointError, match="is no safetensors file"):
            checkpoint.read_model(tmp_path / "other")


def test_a_file_that_breaks_off_is_called_damaged(path):
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match=r"is damaged .* Copy it again"):
        checkpoint.read_model(path)


def test_weights_that_are_no_numbers_are_refused(model, tmp_path, monkeypatch):
    with torch.no_grad():
        model.out.weight[0] = float("nan")
    with pytest.raises(CheckpointError, match=r"finite weights to be saved, .* `out\.weight`"):
        checkpoint.save(model, tmp_path / "nan.safetensors")
    assert not list(tmp_path.iterdir())
    with monkeypatch.context() as careless:
        careless.setattr(checkpoint, "unusable_weight", lambda model: None)
        checkpoint.save(model, tmp_path / "nan.safetensors")
    with pytest.raises(CheckpointError, match=r"no finite numbers \(`out\.weight`\)"):
        checkpoint.read_model(tmp_path / "nan.safetensors")


def test_every_truncation_is_noticed(path):
    content = path.read_bytes()
    for length in range(0, len(content), len(content) // 25):
        path.write_bytes(content[:length])
        with pytest.raises(CheckpointError):
            checkpoint.read_model(path)


def test_saving_to_an_impossible_place_says_so_and_leaves_nothing(model, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        checkpoint.save(model, tmp_path / "file" / "model.safetensors")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_loaded_model_is_in_evaluation_mode(path):
    assert not checkpoint.read_model(path).training


def test_a_flipped_bit_is_noticed_in_the_weights_and_in_the_card(path):
    content = path.read_bytes()
    in_weights = content[:-3] + bytes([content[-3] ^ 1]) + content[-2:]
    in_card = content.replace(b'"a\\", \\"b', b'"a\\", \\"c')
    for damaged in (in_weights, in_card):
        assert damaged != content
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError, match="its checksum is not that of its content"):
            checkpoint.read_model(path)


def test_other_than_models_are_not_saved(tmp_path):
    with pytest.raises(ConfigError, match="`model` must be a model, got 'x'"):
        checkpoint.save("x", tmp_path / "x.safetensors")
    assert not list(tmp_path.iterdir())
