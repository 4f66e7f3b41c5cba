"""Facts about reading settings: every recipe builds, every error names its key."""

import math
import re
from dataclasses import fields

import pytest
import torch

from pixelcnn.config import (
    Config,
    DataConfig,
    ModelConfig,
    TrainingConfig,
    as_config,
    as_section,
    load_config,
    preset_names,
    preset_path,
    to_yaml,
)
from pixelcnn.config.load import SECTIONS, hints
from pixelcnn.config.model import arguments_of
from pixelcnn.config.replaced import ADVICE, SETTINGS
from pixelcnn.errors import ConfigError
from pixelcnn.hints import read_size
from pixelcnn.models import MODELS


@pytest.fixture
def written(tmp_path):
    """Writes text into a YAML file and returns its path."""

    def write(text: str):
        path = tmp_path / "config.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_nothing_given_is_all_defaults(written):
    assert load_config() == load_config(written("")) == load_config(written("model:\n")) == Config()


def test_the_default_recipe_is_cifar10_with_the_known_values():
    config = load_config(preset_path("default"))
    training, data = config.training, config.data
    known = {"in_channels": 3, "hidden_channels": 64, "num_layers": 12, "dropout": 0.5}
    known |= {"num_residual_blocks": 5, "num_classes": 256}
    assert known.items() <= config.model.settings.items()
    assert (training.max_epochs, training.learning_rate) == (100, 1e-3)
    assert (training.weight_decay, training.gradient_clip_val) == (1e-4, 1.0)
    assert (training.precision, training.compile) == ("auto", "auto")
    assert (data.dataset_name, data.batch_size, data.num_workers) == ("cifar10", 64, 4)
    assert (data.image_size, data.use_augmentation) == (32, True)


@pytest.mark.parametrize("name", preset_names())
def test_a_recipe_written_out_reads_back_the_same(name, written):
    config = load_config(preset=name)
    assert load_config(written(to_yaml(config))) == config


def test_the_recipes_are_found():
    assert {"cifar10", "default", "digits", "mnist-256", "mnist-binary"} <= set(preset_names())


def test_cifar10_is_another_name_of_the_default_recipe():
    assert preset_path("cifar10") == preset_path("default")
    assert load_config(preset="cifar10") == load_config(preset="default")


def test_the_dilated_recipe_differs_from_the_plain_one_by_its_dilations_alone():
    plain, dilated = load_config(preset="mnist-binary"), load_config(preset="mnist-dilated")
    assert dilated.model.settings["dilations"]
    dilated.model.settings["dilations"] = None
    assert dilated == plain


def test_the_fashion_recipe_differs_from_that_of_the_digits_by_its_images_alone():
    digits, fashion = load_config(preset="mnist-256"), load_config(preset="fashion-256")
    assert fashion.data.dataset_name == "fashion_mnist"
    fashion.data.dataset_name = "mnist"
    assert fashion == digits


@pytest.mark.parametrize("number", ["1e-3", "1E-3", "0.001", "'1e-3'"])
def test_a_number_with_an_exponent_is_a_number(written, number):
    config = load_config(written(f"training:\n  learning_rate: {number}\n"))
    assert config.training.learning_rate == 1e-3


def test_a_whole_number_serves_where_any_number_does(written):
    rate = load_config(written("training:\n  learning_rate: 1\n")).training.learning_rate
    assert rate == 1.0
    assert isinstance(rate, float)


def test_overrides_win_over_the_file(written):
    path = written("training:\n  max_epochs: 7\n  learning_rate: 0.5\n")
    config = load_config(path, ["--training.max_epochs", "5", "--seed=3", "--out", "runs/3"])
    assert (config.training.max_epochs, config.training.learning_rate) == (5, 0.5)
    assert (config.seed, config.out) == (3, "runs/3")


def test_overrides_can_be_lists_and_null():
    words = ["--data.image_size", "[28, 20]", "--training.gradient_clip_val", "null"]
    config = load_config(overrides=[*words, "--model.dilations=[1, 2]"])
    assert config.data.image_size == (28, 20)
    assert config.training.gradient_clip_val is None
    assert config.model.settings["dilations"] == [1, 2]


def test_a_pair_for_the_size_survives_writing_and_reading(written):
    config = as_config(data={"image_size": (28, 20)})
    assert load_config(written(to_yaml(config))).data.image_size == (28, 20)


def test_the_environment_changes_nothing(monkeypatch):
    for name in ("SEED", "TRAINING__MAX_EPOCHS", "PIXELCNN_SEED", "VALUE"):
        monkeypatch.setenv(name, "9")
    assert load_config() == Config()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("training:\n  max_epoch: 3", r"`training\.max_epoch` .* Did you mean `training\.max_epo"),
        ("trainin:\n  max_epochs: 3", r"`trainin` is not a setting\. Did you mean `training`"),
        ("max_epochs: 3", r"`max_epochs` .* Did you mean `training\.max_epochs`"),
        ("training:\n  max_epochs: 3.5", r"`training\.max_epochs` .* a whole number, got 3\.5"),
        ("training:\n  max_epochs: ten", r"`training\.max_epochs` .* a whole number, got 'ten'"),
        ("training:\n  max_epochs: true", r"`training\.max_epochs` .* a whole number, got True"),
        ("training:\n  max_epochs:", r"`training\.max_epochs` .* a whole number, got None"),
        ("training:\n  max_epochs: 0", r"`training\.max_epochs` must be at least 1, got 0"),
        ("training:\n  compile: 1", r"`training\.compile` must be true or false or auto, got 1"),
        ("training:\n  schedule: cosin", r"one of cosine, plateau, constant, got 'cosin'"),
        (
            "training:\n  learning_rate: .nan",
            r"`training\.learning_rate` .* a finite number",
        ),
        ("training: 3", r"`training` must be a section of keys, got 3"),
        (
            "data:\n  image_size: [3]",
            r"`data\.image_size` .* a pair of whole numbers",
        ),
        ("data:\n  image_size: [3, 0]", r"`data\.image_size` must be a number of pixels"),
        ("model:\n  dilations: [1, x]", r"`model\.dilations` must be a list of whole numbers"),
        ("model:\n  dropout: 1.0", r"`model\.dropout` must be in \[0, 1\), got 1\.0"),
        (
            "model:\n  name: gated\n  kernel_size: 4",
            r"`model\.kernel_size` must be odd and at least 3, got 4",
        ),
        ("- model", r"must hold sections such as `training:`, got list"),
        ("model: [", r"not valid YAML in line 1"),
        ("model:\ndata:\nmodel:", r"in line 3, column 1: `model` is given twice"),
        ("model:\n  norm: none\n  norm: batch", r"in line 3, column 3: `norm` is given twice"),
        ("? [a]\n: 1\n? [a]\n: 2", r"not valid YAML in line 1.*unhashable"),
        ("data:\n  data_root: 3", r"`data\.data_root` must be text or null, got 3"),
    ],
)
def test_bad_settings_are_one_line_that_names_the_key(written, text, message):
    with pytest.raises(ConfigError, match=message) as caught:
        load_config(written(text))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "instead"),
    [
        ("training.sample_temperature", r"mean `sampling\.temperature`"),
        ("training.lr", r"Use `training\.learning_rate`"),
        ("training.batch_size", r"mean `data\.batch_size`"),
        ("data.dataset", r"Use `data\.dataset_name`"),
        ("logger.log_dir", r"Use `out`"),
        ("logger.type", r"`logger\.tensorboard`, `logger\.csv` and `logger\.wandb`"),
        ("evaluation.num_samples", r"`pixelcnn evaluate RUN --num-generated N`"),
        ("evaluation.fid", r"`pixelcnn evaluate RUN --features inception`"),
        ("sampling.batch_size", r"`pixelcnn sample RUN --batch-size N`"),
        ("model.hidden_dim", r"Use `model\.hidden_channels`"),
        ("model.num_channels", r"Use `model\.in_channels`"),
    ],
)
def test_keys_of_other_configurations_are_told_what_replaces_them(written, key, instead):
    section, name = key.split(".")
    with pytest.raises(ConfigError, match=rf"`{key}` is not a setting.*{instead}"):
        load_config(written(f"{section}:\n  {name}: 1\n"))


def test_replacements_are_settings_and_what_they_replace_are_none():
    known = {*hints(), *(f"model.{name}" for model in MODELS for name in arguments_of(model))}
    assert set(SETTINGS.values()) <= known
    lasts = {key.rpartition(".")[2] for key in known} - {"num_blocks"}
    assert not set(SETTINGS) & lasts
    assert not set(ADVICE) & known


# All that differs in `configs/default.yaml` of the original project.
ORIGINAL = """
training: {sample_temperature: 1.0, sample_top_k: null, sample_top_p: null}
logger: {use_wandb: false, use_tensorboard: true, project_name: a, run_name: b, log_dir: ./logs}
evaluation: {num_generated_samples: 1000, temperature: 1.0, top_k: null, top_p: null}
sampling: {image_size: [3, 32, 32], seed: 42}
"""


def test_all_keys_of_the_original_default_file_are_answered_at_once(written):
    with pytest.raises(ConfigError) as caught:
        load_config(written(ORIGINAL))
    answers = {
        "training.sample_temperature": "sampling.temperature",
        "training.sample_top_k": "sampling.top_k",
        "training.sample_top_p": "sampling.top_p",
        "logger.use_wandb": "logger.wandb",
        "logger.use_tensorboard": "logger.tensorboard",
        "logger.project_name": "logger.wandb_project",
        "logger.run_name": "out",
        "logger.log_dir": "out",
        "evaluation.num_generated_samples": "pixelcnn evaluate RUN --num-generated N",
        "evaluation.temperature": "sampling.temperature",
        "evaluation.top_k": "sampling.top_k",
        "evaluation.top_p": "sampling.top_p",
        "sampling.image_size": "data.image_size",
        "sampling.seed": "seed",
    }
    found = re.findall(r"`([\w.]+)` is not a setting\.[^`]*`([^`]+)`", str(caught.value))
    assert dict(found) == answers


@pytest.mark.parametrize("size", ["64x96", "[64, 96]", [64, 96], "64X96"])
def test_sizes_of_images_are_read_in_each_form(size):
    assert as_config(data={"image_size": size}).data.image_size == (64, 96)
    assert read_size(size) == (64, 96)
    assert as_config(data={"image_size": "64"}).data.image_size == 64


def test_the_union_of_settings_in_older_files_still_loads(written):
    older = ["name: gated", "kernel_size: null", "num_residual_blocks: null", "num_layers: 3"]
    older += ["hidden_channels: null", "norm: null", "label_dropout: null"]
    config = load_config(written("model:\n" + "".join(f"  {line}\n" for line in older)))
    assert config.model == ModelConfig("gated", num_layers=3)
    with pytest.raises(ConfigError, match=r"`model\.hiden_channels` is not a setting"):
        load_config(written("model:\n  hiden_channels: null\n"))


def test_a_setting_is_checked_against_the_constructor_of_the_chosen_model():
    with pytest.raises(ConfigError, match=r"`model\.num_layer` .* gated\. .*`model\.num_layers`"):
        load_config(overrides=["--model.name=gated", "--model.num_layer=3"])
    with pytest.raises(ConfigError, match=r"`model\.hidden_channels` must be even and positive"):
        load_config(overrides=["--model.hidden_channels=7"])
    with pytest.raises(ConfigError, match=r"`model\.norm` must be one of none, channel, batch"):
        load_config(overrides=["--model.norm=layer"])


def test_reading_settings_changes_no_random_state():
    before = torch.get_rng_state()
    load_config(overrides=["--model.num_layers=1"])
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--training.max_epochs"], r"`--training\.max_epochs` needs a value: a whole number"),
        (["--training.max_epochs", "--seed=1"], r"`--training\.max_epochs` needs a value"),
        (["--training.max_epoch", "3"], r"Did you mean `training\.max_epochs`"),
        (["training.max_epochs=3"], r"must look like `--section\.key value`"),
    ],
)
def test_bad_overrides_are_one_line_that_names_the_key(words, message):
    with pytest.raises(ConfigError, match=message):
        load_config(overrides=words)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.yaml: No such file"):
        load_config(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"binary\.yaml: it is not UTF-8"):
        load_config(tmp_path / "binary.yaml")


def test_an_unknown_recipe_lists_the_known_ones():
    with pytest.raises(ConfigError, match=r"one of .*digits.*, got 'didgits'"):
        load_config(preset="didgits")


def test_a_file_and_a_recipe_together_are_refused(written):
    with pytest.raises(ConfigError, match="not both"):
        load_config(written(""), preset="digits")


def test_sections_are_checked_wherever_they_come_from():
    assert as_section(TrainingConfig, TrainingConfig(max_epochs=3)).max_epochs == 3
    with pytest.raises(ConfigError, match=r"`training\.max_epochs`"):
        as_section(TrainingConfig, TrainingConfig(max_epochs=0))
    with pytest.raises(ConfigError, match=r"`data` must be a DataConfig or a dict, got list"):
        as_section(DataConfig, ["digits"])


def test_every_section_of_the_configuration_is_read():
    assert {each.name for each in fields(Config)} == {*SECTIONS, "seed", "out", "device", "resume"}


def test_default_values_are_in_their_own_ranges():
    config = as_config()
    assert config == Config()
    assert math.isfinite(config.training.learning_rate)


def test_another_model_leaves_out_settings_of_the_model_of_the_preset(caplog):
    with caplog.at_level("INFO", logger="pixelcnn"):
        config = load_config(preset="digits", overrides=["--model.name", "gated"])
    assert config.model.name == "gated"
    assert config.model.settings["num_labels"] == 10
    assert "the model gated does not take them: `model.num_residual_blocks`." in caplog.text


def test_a_typed_setting_of_another_model_is_still_refused():
    words = ["--model.name", "gated", "--model.num_residual_blocks", "3"]
    with pytest.raises(ConfigError, match=r"`model\.num_residual_blocks` is not a setting"):
        load_config(preset="digits", overrides=words)
