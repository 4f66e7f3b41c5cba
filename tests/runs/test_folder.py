"""Runs on disk."""

import pytest

from pixelcnn.checkpoint import save
from pixelcnn.errors import CheckpointError, ConfigError, DataError
from pixelcnn.models import PixelCNN
from pixelcnn.runs import config_of, find_model, history_of, list_runs, recorded_metrics


@pytest.fixture
def folder(tmp_path):
    """A run folder without figures or logs."""
    save(
        PixelCNN(num_residual_blocks=1, hidden_channels=4, num_classes=2),
        tmp_path / "a" / "model.safetensors",
    )
    return tmp_path / "a"


def test_runs_are_folders_that_hold_a_model(folder):
    (folder.parent / "begun").mkdir()
    assert list_runs(folder.parent) == [folder]
    assert find_model(str(folder)) == folder / "model.safetensors"
    with pytest.raises(CheckpointError, match=r"holds no model\.safetensors"):
        find_model(str(folder.parent / "begun"))


def test_settings_are_those_of_the_run_or_of_the_card(folder):
    file = find_model(str(folder))
    with pytest.raises(ConfigError, match="nothing says which test images"):
        config_of(file)
    (folder / "config.yaml").write_text("data:\n  dataset_name: mnist\n")
    assert config_of(file).data.dataset_name == "mnist"
    assert config_of(find_model("digits")).data.dataset_name == "digits"


def test_metrics_are_those_of_the_run_or_of_the_card(folder):
    file = find_model(str(folder))
    assert recorded_metrics(file) == {}
    (folder / "config.yaml").write_text("")
    (folder / "metrics.json").write_text('{"nll_nats": 2.5}')
    assert recorded_metrics(file) == {"nll_nats": 2.5}
    for damaged in ('{"nll_nats": ', "[1, 2]", "null"):
        (folder / "metrics.json").write_text(damaged)
        with pytest.raises(DataError, match=r"metrics\.json cannot be read"):
            recorded_metrics(file)


def test_a_resumed_run_has_one_history(folder):
    file = find_model(str(folder))
    assert history_of(file) == []
    (folder / "config.yaml").write_text("")
    for version, lines in enumerate(["0,1,3.0,\n0,1,,4.0\n1,2,2.5,\n", "1,2,2.0,\n1,2,,3.0\n"]):
        log = folder / "logs" / f"version_{version}" / "metrics.csv"
        log.parent.mkdir(parents=True)
        log.write_text(f"epoch,step,train_nll,val_nll\n{lines}")
    assert history_of(file) == [
        {"epoch": 1, "train_nll": 3.0, "val_nll": 4.0},
        {"epoch": 2, "train_nll": 2.0, "val_nll": 3.0},
    ]


@pytest.mark.parametrize("line", [b"0,,many", b"x,,4.0", b",,4.0", b"\xff"])
def test_a_damaged_log_is_named(folder, line):
    (folder / "config.yaml").write_text("")
    log = folder / "logs" / "version_0" / "metrics.csv"
    log.parent.mkdir(parents=True)
    log.write_bytes(b"epoch,lr-AdamW,val_nll\n0,,4.0\n" + line)
    with pytest.raises(DataError, match=r"metrics\.csv cannot be read: .*Remove it"):
        history_of(find_model(str(folder)))


def test_the_last_rate_that_was_logged_is_that_of_its_epoch(folder):
    (folder / "config.yaml").write_text("")
    log = folder / "logs" / "version_0" / "metrics.csv"
    log.parent.mkdir(parents=True)
    log.write_text("epoch,lr-AdamW,val_nll\n,0.3,\n,0.2,\n0,,4.0\n,0.1,\n1,,3.0\n")
    assert [each["learning_rate"] for each in history_of(find_model(str(folder)))] == [0.2, 0.1]
