"""Facts about what a run keeps on disk: which states and which weights belong together."""

import math
from pathlib import Path

import pytest

from pixelcnn import checkpoint
from pixelcnn.evaluation import evaluate
from pixelcnn.runs import load_trained, read_state
from pixelcnn.training.callbacks.checkpoints import comparable_nll
from tests.training.tiny_runs import assert_same, train

LAST = Path("checkpoints", "last.ckpt")
# A rate so high that every epoch is the best one, and one too small to change a float.
LEARNING = {"schedule": "constant", "learning_rate": 0.01, "num_checkpoints": 4, "max_epochs": 5}
IDLE = {**LEARNING, "learning_rate": 1e-20}


def steps(folder: Path) -> list[int]:
    return sorted(int(path.stem[5:]) for path in folder.glob("checkpoints/step-*.ckpt"))


@pytest.fixture
def five(tmp_path):
    """A run of five epochs of four steps each, the last of which is the best."""
    result = train(tmp_path, training=LEARNING)
    assert (result.best_epoch, steps(tmp_path)) == (5, [8, 12, 16])
    return result


def assert_belongs(folder: Path, result) -> None:
    """The card of the weights is that of the epoch which the run calls its best."""
    card = checkpoint.read_card(folder / "model.safetensors")["training"]
    assert card["best_epoch"] == result.best_epoch
    assert card["val_nll_nats"] == result.history[result.best_epoch - 1]["val_nll"]
    figures = evaluate(result.model, result.data.val)
    assert figures["nll_nats"] == pytest.approx(card["val_nll_nats"], rel=1e-5)


def test_weights_of_later_epochs_than_the_resumed_one_are_replaced(tmp_path, five):
    state = tmp_path / "checkpoints" / "step-8.ckpt"
    second = load_trained(state).state_dict()
    again = train(tmp_path, training=IDLE, resume=state)
    assert again.best_epoch == 2
    assert_same(again.model.state_dict(), second)
    assert_belongs(tmp_path, again)


def test_a_state_within_an_epoch_does_not_have_the_weights_of_the_epoch_before(tmp_path):
    options = {"max_epochs": 3, "num_checkpoints": 9, "checkpoint_every_n_steps": 1}
    train(tmp_path, training={**LEARNING, **options})
    (tmp_path / "checkpoints" / "step-8.ckpt").unlink()
    state = tmp_path / "checkpoints" / "step-10.ckpt"
    again = train(tmp_path, training={**IDLE, **options}, resume=state)
    assert again.best_epoch == 3
    assert_belongs(tmp_path, again)


def test_states_of_later_epochs_than_the_resumed_one_are_removed(tmp_path, five):
    train(tmp_path, training=IDLE, resume=tmp_path / "checkpoints" / "step-8.ckpt")
    assert steps(tmp_path) == [8, 12, 16]
    kept = load_trained(tmp_path / "checkpoints" / "step-8.ckpt").state_dict()
    for step in (12, 16):  # of the new training, in which no weight moves
        assert_same(load_trained(tmp_path / f"checkpoints/step-{step}.ckpt").state_dict(), kept)


def test_damaged_best_weights_are_detected_when_a_run_resumes(tmp_path, five):
    model = tmp_path / "model.safetensors"
    content = bytearray(model.read_bytes())
    content[-1] ^= 1
    model.write_bytes(content)
    again = train(tmp_path, training={**IDLE, "max_epochs": 6}, resume=tmp_path / LAST)
    assert again.best_epoch == 5
    assert_same(again.model.state_dict(), five.model.state_dict())


def test_a_run_that_begins_anew_takes_away_the_states_of_one_without_weights(
    tmp_path, press_ctrl_c
):
    press_ctrl_c("on_train_batch_end", 0, 2)
    every = {"checkpoint_every_n_steps": 1, "num_checkpoints": 9}
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, training=every, seed=1)
    assert steps(tmp_path) == [1, 2]  # and the last one
    press_ctrl_c("on_train_batch_end", 0, 0)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, training=every)
    press_ctrl_c()
    assert steps(tmp_path) == []
    assert read_state(tmp_path / LAST)["pixelcnn"]["seed"] == 0


def test_what_killed_processes_were_writing_is_removed(tmp_path):
    names = ("config.yaml", "environment.json", "metrics.json", "model.safetensors")
    files = [tmp_path / name for name in names]
    files += [tmp_path / "checkpoints" / name for name in ("last.ckpt", "best.ckpt")]
    for file in files:
        file.parent.mkdir(exist_ok=True)
        file.with_name(f".{file.stem}-0123456789ab{file.suffix}").write_text("half")
    (tmp_path / ".mine").write_text("whole")
    train(tmp_path, training={"max_epochs": 1})
    assert [path.name for path in tmp_path.rglob(".*")] == [".mine"]


@pytest.mark.parametrize("figure", [math.nan, math.inf, -math.inf])
def test_an_epoch_whose_nll_is_not_finite_is_not_the_best(figure):
    assert comparable_nll({"val_nll": figure}) > comparable_nll({"val_nll": 1e30})
