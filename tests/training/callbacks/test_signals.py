"""Facts about what a training that is stopped by a signal leaves behind."""

import csv
from pathlib import Path

import pytest

from pixelcnn.runs import read_state
from pixelcnn.training.callbacks.checkpoints import previous_states
from tests.training.tiny_runs import assert_same_state, train

LAST = Path("checkpoints", "last.ckpt")
EVERY = {"checkpoint_every_n_steps": 1, "num_checkpoints": 9}


def logged(folder: Path, name: str) -> dict[int, set[float]]:
    """The values of a figure by its step, over all starts of a run."""
    found: dict[int, set[float]] = {}
    for log in sorted(folder.glob("logs/version_*/metrics.csv")):
        with log.open() as lines:
            for row in csv.DictReader(lines):
                if row.get(name):
                    found.setdefault(int(row["step"]), set()).add(float(row[name]))
    return found


@pytest.mark.parametrize(
    "moment",
    [("on_train_batch_end", 0, 1), ("on_validation_batch_end", 0, 0), ("on_train_epoch_end", 1)],
    ids=str,
)
def test_the_logs_of_a_stopped_run_say_what_those_of_a_whole_one_do(tmp_path, press_ctrl_c, moment):
    logger = {"csv": True, "log_every_n_steps": 1}
    train(tmp_path / "whole", logger=logger)
    press_ctrl_c(*moment)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "parts", logger=logger)
    press_ctrl_c()
    train(tmp_path / "parts", logger=logger, resume="auto")
    for name in ("train_nll_step", "gradient_norm", "lr-AdamW", "train_nll", "val_nll"):
        assert logged(tmp_path / "parts", name) == logged(tmp_path / "whole", name), name


def test_a_state_that_is_written_already_does_not_push_out_an_earlier_one(tmp_path, press_ctrl_c):
    press_ctrl_c("on_train_batch_end", 0, 2)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, training=EVERY)
    assert [path.name for path in previous_states(tmp_path / LAST)] == [
        "step-2.ckpt",
        "step-1.ckpt",
    ]


def test_a_run_stops_between_two_steps_and_not_within_one(tmp_path, press_ctrl_c):
    options = {"accumulate_grad_batches": 2}  # gradients that are half summed up are in no state
    whole = train(tmp_path / "whole", training=options)
    press_ctrl_c("on_train_batch_end", 0, 0)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "parts", training=options)
    press_ctrl_c()
    assert read_state(tmp_path / "parts" / LAST)["pixelcnn"]["stopped_at"] == [0, 2]
    train(tmp_path / "parts", training=options, resume="auto")
    assert_same_state(tmp_path / "parts" / LAST, whole.run_dir / LAST)
