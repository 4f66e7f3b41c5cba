"""Facts about Weights & Biases, offline; the other loggers are in `test_gauges`."""

import importlib.util
import json
import math
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from pixelcnn.errors import ConfigError, MissingDependencyError, PixelCNNError
from tests.training import tiny_runs

wandb = pytest.importorskip("wandb")

BLOCK, HEADER = 32768, 7
WANDB = {"wandb": True, "wandb_mode": "offline", "wandb_project": "tiny"}


def train(out: Path, **training) -> None:
    tiny_runs.train(
        out,
        training=training,
        data={"max_samples": 40, "batch_size": 10},
        logger={**WANDB, "log_every_n_steps": 2, "sample_epochs": [2]},
        sampling_config={"num_samples": 2},
        seed=5,
    )


def payloads(file: Path) -> Iterator[bytes]:
    """What was logged, from LevelDB's log format: blocks of pieces with checksum, length, kind."""
    content, at, whole = file.read_bytes(), HEADER, b""
    assert content[:4] == b":W&B"
    while at + HEADER <= len(content):
        if BLOCK - at % BLOCK < HEADER:  # the end of a block, too short for a piece
            at += BLOCK - at % BLOCK
            continue
        _, length, kind = struct.unpack("<IHB", content[at : at + HEADER])
        at += HEADER
        whole += content[at : at + length]
        at += length
        if kind in (1, 4):  # whole, or the last piece
            yield whole
            whole = b""


def records(run_dir: Path) -> list:
    from wandb.proto.wandb_internal_pb2 import Record

    (file,) = run_dir.glob("wandb/offline-run-*/*.wandb")
    return [Record.FromString(each) for each in payloads(file)]


def logged(run_dir: Path) -> list[dict]:
    """Every entry: name to value."""
    return [
        {
            ".".join(item.nested_key) or item.key: json.loads(item.value_json)
            for item in record.history.item
        }
        for record in records(run_dir)
        if record.WhichOneof("record_type") == "history"
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("run") / "named"
    before = {name for name in os.environ if name.startswith("WANDB")}
    train(out)
    assert {name for name in os.environ if name.startswith("WANDB")} == before
    return out


def test_all_metrics_are_logged_at_their_steps(folder):
    found = logged(folder)
    for name in ("gradient_norm", "images_per_second", "memory_gib", "train_nll_step", "lr-AdamW"):
        steps = [each["trainer/global_step"] for each in found if name in each]
        assert steps == [1, 3, 5, 7], name
    for stage in ("train", "val"):
        epochs = [each for each in found if f"{stage}_nll" in each]
        assert [each["trainer/global_step"] for each in epochs] == [3, 7]
        for each in epochs:
            assert each[f"{stage}_nll"] == pytest.approx(
                each[f"{stage}_bpd"] * 64 * math.log(2), rel=1e-5
            )


def test_pictures_are_logged_and_lie_in_the_run_folder(folder):
    found = logged(folder)
    (media,) = folder.glob("wandb/offline-run-*/files")
    for name in ("samples", "curves"):
        (shown,) = [each for each in found if f"{name}.filenames" in each]
        assert shown[f"{name}.captions"] == ["epoch 2"]
        assert shown["trainer/global_step"] == 7
        assert (media / shown[f"{name}.filenames"][0]).is_file()


def test_the_settings_are_logged(folder):
    (run,) = [r.run for r in records(folder) if r.WhichOneof("record_type") == "run"]
    assert (run.project, run.display_name, run.run_group) == ("tiny", "named", "named")
    kept = {item.key: json.loads(item.value_json) for item in run.config.update}
    assert kept["seed"] == 5
    assert kept["training"]["max_epochs"] == 2


def test_nothing_is_printed_and_no_process_is_left(folder, tmp_path, capfd):
    train(tmp_path / "second")
    out, err = capfd.readouterr()
    assert out == ""
    lines = [line.split(":")[0] for line in err.splitlines()]
    assert lines[1:] == ["epoch 1/2, step 1/4", "epoch 1/2", "epoch 2/2"]
    assert wandb.run is None
    children = psutil.Process().children(recursive=True)
    assert not [child for child in children if "wandb" in child.name()]


def test_a_training_that_fails_is_marked_so(tmp_path):
    with pytest.raises(PixelCNNError, match="finite"):
        train(tmp_path, learning_rate=1e30, gradient_clip_val=None)
    (code,) = [r.exit.exit_code for r in records(tmp_path) if r.WhichOneof("record_type") == "exit"]
    assert code == 1


def test_without_the_package_it_is_said_how_to_install_it(tmp_path, monkeypatch):
    find, load = importlib.util.find_spec, importlib.import_module

    def missing(name, *rest):
        if name == "wandb":
            raise ModuleNotFoundError(name)
        return load(name, *rest)

    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, *rest: None if name == "wandb" else find(name)
    )
    monkeypatch.setattr("importlib.import_module", missing)
    with pytest.raises(MissingDependencyError, match=r'pip install "pixelcnn\[wandb\]"'):
        train(tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_missing_account_is_an_error(tmp_path, monkeypatch):
    def refuse(**_):
        raise wandb.errors.UsageError("no API key configured")

    monkeypatch.setattr(wandb, "init", refuse)
    with pytest.raises(ConfigError, match=r"no API key configured.*logger\.wandb_mode` to offline"):
        train(tmp_path)
