"""Facts about going on with a training: from which state, and with what it must agree."""

import io
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
import torch

import pixelcnn.training.run as run_module
from pixelcnn.errors import CheckpointError, ConfigError
from pixelcnn.runs import load_trained, read_state
from pixelcnn.runs.state import add_checksum
from pixelcnn.training import train_pixelcnn
from pixelcnn.training.resume import check_same_model, find_state
from tests.runs.test_state import state_of, tiny
from tests.training.tiny_runs import FEW, SILENT, TINY, assert_same, train

PATIENT = {"max_epochs": 9, "schedule": "constant", "warmup_steps": 0}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return train(tmp_path_factory.mktemp("whole"), training={"max_epochs": 3, "num_checkpoints": 3})


@pytest.fixture
def half(tmp_path):
    """The folder of a run that was ended after two of three epochs."""
    train(tmp_path, training={"max_epochs": 3, "num_checkpoints": 3, "early_stopping_patience": 9})
    last = tmp_path / "checkpoints" / "last.ckpt"
    (tmp_path / "checkpoints" / "step-8.ckpt").replace(last)
    return tmp_path


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def go_on(folder: Path, **options):
    training = {"max_epochs": 3, "num_checkpoints": 3, **options}
    return train(folder, training=training, resume="auto")


def test_resuming_names_the_setting_that_differs():
    state = state_of(tiny())
    check_same_model(state, tiny(), "last.ckpt")
    with pytest.raises(CheckpointError, match=r"trained with `model\.dropout` 0\.0, .* give 0\.5"):
        check_same_model(state, tiny(dropout=0.5), "last.ckpt")


def test_auto_resumes_from_the_last_state(whole, half, capsys):
    assert_same(go_on(half).model.state_dict(), whole.model.state_dict())
    assert f"Resuming from {half / 'checkpoints' / 'last.ckpt'}." in capsys.readouterr().err


def test_auto_skips_damaged_states_with_a_line_about_each(whole, half, capsys):
    damage(half / "checkpoints" / "last.ckpt")
    assert_same(go_on(half).model.state_dict(), whole.model.state_dict())
    said = capsys.readouterr().err
    assert said.count("Skipping a state") == 1
    assert "step-4.ckpt." in said


def test_auto_takes_the_newest_undamaged_state(whole, tmp_path):
    shutil.copytree(whole.run_dir, tmp_path, dirs_exist_ok=True)
    for name in ("last", "step-8", "step-4", "best"):
        state = tmp_path / "checkpoints" / f"{name}.ckpt"
        assert find_state("auto", tmp_path) == state
        damage(state)


def test_auto_refuses_where_all_states_are_damaged(half):
    for path in (half / "checkpoints").iterdir():
        damage(path)
    before = sorted(half.rglob("*"))
    with pytest.raises(CheckpointError, match=r"must be undamaged to resume, but all"):
        go_on(half)
    assert sorted(half.rglob("*")) == before


def test_auto_starts_where_there_is_nothing(whole, tmp_path):
    assert find_state("auto", tmp_path) is None
    assert_same(go_on(tmp_path).model.state_dict(), whole.model.state_dict())


def test_auto_returns_the_result_of_a_finished_run(whole, monkeypatch):
    monkeypatch.setattr(run_module.PixelCNNTrainer, "on_train_batch_start", None)
    again = go_on(whole.run_dir)
    assert_same(again.model.state_dict(), whole.model.state_dict())
    assert (again.best_epoch, again.history) == (whole.best_epoch, whole.history)


def test_a_state_with_an_average_needs_it_to_resume(tmp_path):
    train(tmp_path, training={"max_epochs": 1, "ema_decay": 0.9})
    with pytest.raises(ConfigError, match=r"`training\.ema_decay` is none"):
        train(tmp_path, training={"max_epochs": 2}, resume="auto")


def test_an_average_can_begin_on_the_way(tmp_path):
    train(tmp_path, training={"max_epochs": 1})
    assert len(go_on(tmp_path, ema_decay=0.9).history) == 3


@pytest.mark.parametrize(
    ("data", "seed"),
    # The second and the third cut an epoch into as many batches.
    [({"batch_size": 10}, 0), ({"batch_size": 18}, 0), ({"max_samples": 57}, 0), ({}, 1)],
    ids=str,
)
def test_an_epoch_does_not_resume_in_another_order(tmp_path, press_ctrl_c, data, seed):
    press_ctrl_c("on_train_batch_end", 0, 1)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path)
    press_ctrl_c()
    with pytest.raises(
        ConfigError, match=r"an epoch of 60 images in 4 batches of 16 .* seed 0, but"
    ):
        train(tmp_path, data=data, seed=seed, resume="auto")


@pytest.mark.parametrize("epochs", [5, 6])
def test_removed_best_weights_are_restored_from_the_best_state(tmp_path, epochs):
    # At so high a rate the last epoch is not the best.
    options = {**PATIENT, "learning_rate": 2.0, "ema_decay": 0.5}
    first = train(tmp_path / "first", training={**options, "max_epochs": 5})
    assert first.best_epoch == 4
    whole = train(tmp_path / "whole", training={**options, "max_epochs": epochs})
    (tmp_path / "first" / "model.safetensors").unlink()
    options = {**options, "max_epochs": epochs}
    again = train(tmp_path / "first", training=options, resume="auto")
    assert again.best_epoch == whole.best_epoch
    assert_same(again.model.state_dict(), whole.model.state_dict())


def test_without_best_weights_and_state_the_last_ones_are_taken(tmp_path):
    options = {"max_epochs": 2, "ema_decay": 0.5}
    train(tmp_path, training=options)
    (tmp_path / "model.safetensors").unlink()
    (tmp_path / "checkpoints" / "best.ckpt").unlink()
    again = train(tmp_path, training=options, resume="auto")
    last = load_trained(tmp_path / "checkpoints" / "last.ckpt")
    assert_same(again.model.state_dict(), last.state_dict())


@pytest.fixture
def stopped_early(tmp_path):
    """A run that ended after its second epoch, whose rate is too high to learn any more."""
    options = {**PATIENT, "learning_rate": 2.0, "early_stopping_patience": 1}
    result = train(tmp_path, training=options)
    assert 2 <= len(result.history) < 9
    return result, options


def test_a_run_that_stopped_early_stays_stopped(stopped_early):
    result, options = stopped_early
    again = train(result.run_dir, training=options, resume="auto")
    assert (again.best_epoch, again.history) == (result.best_epoch, result.history)
    assert_same(again.model.state_dict(), result.model.state_dict())
    last = result.run_dir / "checkpoints" / "last.ckpt"
    with pytest.raises(ConfigError, match=r"stopped early, .* Raise `training\.early_stopping_pat"):
        train(result.run_dir, training=options, resume=last)


def test_a_run_resumes_with_more_patience(stopped_early):
    result, options = stopped_early
    options = {**options, "early_stopping_patience": 50}
    again = train(result.run_dir, training=options, resume="auto")
    assert len(again.history) == 9


def test_a_resumed_run_takes_a_new_learning_rate(tmp_path):
    options = {**PATIENT, "learning_rate": 0.01, "weight_decay": 0.1, "max_epochs": 1}
    train(tmp_path, training=options)
    options = {**options, "learning_rate": 0.001, "weight_decay": 0.3, "max_epochs": 2}
    again = train(tmp_path, training=options, resume="auto")
    assert again.history[-1]["learning_rate"] == pytest.approx(0.001)
    state = read_state(tmp_path / "checkpoints" / "last.ckpt")
    assert state["optimizer_states"][0]["param_groups"][0]["weight_decay"] == 0.3


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({"schedule": "plateau"}, {"schedule": "cosine"}),
        ({"schedule": "constant"}, {"schedule": "plateau"}),
        ({"optimizer": "adamw"}, {"optimizer": "adam"}),
    ],
)
def test_settings_that_the_optimiser_state_depends_on_cannot_change(tmp_path, before, now):
    train(tmp_path, training={**PATIENT, "max_epochs": 1, **before})
    (name,) = now
    with pytest.raises(ConfigError, match=rf"`training\.{name}` .* cannot become {now[name]}"):
        train(tmp_path, training={**PATIENT, **now}, resume="auto")


def test_the_settings_in_a_run_folder_do_not_resume_another(half):
    go_on(half)
    assert "resume: null" in (half / "config.yaml").read_text()


def test_settings_are_checked_before_a_state_is_looked_for(tmp_path):
    with pytest.raises(ConfigError, match=r"`training\.num_checkpoints` must be at least 1"):
        train_pixelcnn(
            TINY, {"num_checkpoints": 0}, FEW, logger_config=SILENT, out=tmp_path, resume="auto"
        )


@pytest.mark.parametrize("changed", [{"batch_size": 32}, {"batch_size": 5}, {}], ids=str)
def test_a_schedule_ends_with_the_training_whatever_the_size_of_its_batches(half, changed):
    # By the steps that were left it would end before, or be cut off.
    options = {"max_epochs": 6, "accumulate_grad_batches": 1 if changed else 3}
    again = train(half, training=options, data=changed, resume="auto")
    rates = [entry["learning_rate"] for entry in again.history[2:]]
    assert len(rates) == 4
    assert rates[-1] == 0
    assert all(one > other for one, other in pairwise(rates))


@pytest.mark.parametrize(
    "values",
    [
        {"loops": {}},
        {"callbacks": 5},
        {"callbacks": {"History": 5}},
        {"optimizer_states": [{}]},
        {"lr_schedulers": None},
        {"pytorch-lightning_version": [1]},
    ],
    ids=str,
)
def test_a_state_of_other_content_is_refused_by_name(half, values):
    last = half / "checkpoints" / "last.ckpt"
    buffer = io.BytesIO()
    torch.save({**read_state(last), **values}, buffer)
    last.write_bytes(add_checksum(buffer.getvalue()))
    with pytest.raises(CheckpointError, match=r"last\.ckpt holds no state from which"):
        go_on(half)
