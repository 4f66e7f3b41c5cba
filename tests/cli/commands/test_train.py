"""`pixelcnn train` leaves a whole run, refuses what cannot work, and can be stopped."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from PIL import Image

from pixelcnn.checkpoint import fingerprint, read_card
from pixelcnn.cli import main
from pixelcnn.config import load_config
from pixelcnn.locks import LOCK_FILE
from pixelcnn.runs import load
from tests.cli.conftest import TINY
from tests.test_locks import another_process_in

WRITTEN = {"model.safetensors", "metrics.json", "curves.png", "samples.png", "config.yaml"}


def test_a_run_is_whole(run_folder):
    assert {path.name for path in run_folder.iterdir()} >= WRITTEN
    assert not list(run_folder.rglob(".*")), "a temporary file was left behind"


def test_metrics_carry_all_that_they_depend_on(run_folder):
    metrics = json.loads((run_folder / "metrics.json").read_text())
    assert metrics["bits_per_dim"] == pytest.approx(metrics["nll_nats"] / 64 / 0.693147, rel=1e-4)
    assert metrics["perplexity"] == pytest.approx(2 ** metrics["bits_per_dim"], rel=1e-6)
    assert (metrics["split"], metrics["num_images"], metrics["seed"]) == ("test", 20, 0)
    assert metrics["protocol"].startswith("digits")
    assert {"pixelcnn", "python", "torch"} <= set(metrics["versions"])
    assert metrics["seconds"] > 0
    assert metrics["fingerprint"] == fingerprint(load(run_folder / "model.safetensors"))


def test_samples_hold_a_row_for_each_digit_and_say_how_they_were_made(run_folder):
    with Image.open(run_folder / "samples.png") as image:
        assert image.height == 10 * (8 * 6 + 4)
        assert image.text["Description"] == "generated image"
        assert json.loads(image.text["Comment"])["labels"] == sorted(2 * list(range(10)))


def test_the_settings_of_a_run_are_resolved(run_folder):
    config = load_config(run_folder / "config.yaml")
    assert config.training.max_epochs == 1
    assert config.model.settings["hidden_channels"] == 4
    assert config.out == str(run_folder)


@pytest.mark.parametrize("kind", ["folder", "state"])
def test_a_run_goes_on_with_its_own_settings(run_folder, tmp_path, capsys, kind):
    resume = str(run_folder if kind == "folder" else run_folder / "checkpoints" / "last.ckpt")
    words = ["--training.max_epochs=2", "--out", str(tmp_path / "more")]
    assert main(["train", "--resume", resume, *words]) == 0
    assert "test NLL" in capsys.readouterr().out
    assert load_config(tmp_path / "more" / "config.yaml").training.max_epochs == 2


def test_a_model_without_labels_is_not_said_to_have_any(tmp_path, capsys):
    words = ["--data.dataset_name=digits", "--sampling.num_samples=2", *TINY[:-1]]
    assert main(["train", "--out", str(tmp_path / "run"), *words]) == 0
    assert "--label" not in capsys.readouterr().out
    assert read_card(tmp_path / "run" / "model.safetensors")["labels"] is None


def test_settings_are_shown_without_training(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["train", "--preset", "digits", "--seed=0", "--training.learning_rate", "1e-4"]
    assert main([*words, "--print-config"]) == 0
    (tmp_path / "shown.yaml").write_text(capsys.readouterr().out)
    assert load_config(tmp_path / "shown.yaml").training.learning_rate == 1e-4
    assert [path.name for path in tmp_path.iterdir()] == ["shown.yaml"]


def test_what_is_to_be_found_first_can_be_typed_in_short(capsys):
    words = ["train", "--preset", "digits", "--find-learning-rate", "--print-config"]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert "find_learning_rate: true" in shown
    assert "find_batch_size: false" in shown


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "A training needs settings"),
        (["--preset=nothing"], "A preset must be one of"),
        (["--config=missing.yaml"], "missing.yaml"),
        (["--resume=missing.ckpt"], "--config"),
        (["--preset=digits", "--resume=."], "checkpoints/last.ckpt"),
        (["--preset=digits", "--training.max_epoch", "5"], "training.max_epochs"),
        (["--preset=digits", "--trainng.max_epochs", "5"], "training.max_epochs"),
        (["--preset=digits", "--training.max_epochs", "many"], "a whole number"),
        (["--preset=digits", "--training.max_epochs"], "needs a value"),
        (["--preset=digits", "--device=abacus"], "`--device` must be"),
        (["--preset=digits", "--device=cuda"], "one that PyTorch finds here"),
        (
            ["--preset=digits", "--training.max_epochs=1", "--training.warmup_steps=50"],
            "`training.warmup_steps`",
        ),
        (["--preset=digit"], "Did you mean `digits`?"),
        (["--preset=digits", "--model.num_classes=3"], "`model.num_classes`"),
        (["--preset=digits", "--model.num_labels=4"], "`model.num_labels`"),
        (["--preset=digits", "--data.dataset_name=digit"], "digits"),
    ],
    ids=str,
)
def test_wrong_settings_are_one_line_and_leave_nothing(
    fails, words, message, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    assert message in fails("train", *words)
    assert list(tmp_path.iterdir()) == []


def test_a_warm_up_of_a_preset_is_shortened_to_a_tenth_of_the_run(tiny, tmp_path, capsys):
    words = [word for word in tiny if "warmup" not in word]
    assert (
        main(["train", "--preset=digits", *words, "--data.batch_size=2", "--out", str(tmp_path)])
        == 0
    )
    steps = 20  # of 40 images in batches of 2
    assert f"50 is not below {steps}" in capsys.readouterr().err
    assert load_config(tmp_path / "config.yaml").training.warmup_steps == steps // 10


def test_a_broken_state_leaves_no_run_folder(run_folder, fails, tmp_path):
    (tmp_path / "last.ckpt").write_bytes(b"PK")
    words = ["--resume", tmp_path / "last.ckpt", "--config", run_folder / "config.yaml"]
    assert "last.ckpt" in fails("train", *words, "--out", tmp_path / "new" / "run")
    assert [path.name for path in tmp_path.iterdir()] == ["last.ckpt"]


def test_a_refusal_takes_nothing_from_a_folder_that_was_there(fails, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    words = ["--training.max_epochs=1", "--training.warmup_steps=50"]
    fails("train", "--preset=digits", *words, "--out", tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    "words",
    [["--training.warmup_steps=999", "--training.max_epochs=2"], ["--logger.wandb=true"]],
    ids=str,
)
def test_a_refusal_leaves_nothing_in_a_folder_that_was_there(
    fails, tiny, tmp_path, words, monkeypatch
):
    def refuse(**_):
        raise wandb.errors.UsageError("no API key configured")

    wandb = pytest.importorskip("wandb")
    monkeypatch.setattr(wandb, "init", refuse)
    fails("train", "--preset=digits", *tiny, *words, "--out", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("held", ["model.safetensors", "checkpoints/last.ckpt"])
def test_a_folder_that_holds_a_training_is_not_trained_over(run_folder, fails, tmp_path, held):
    copy, state = tmp_path / held, run_folder / "checkpoints" / "last.ckpt"
    copy.parent.mkdir(exist_ok=True)
    copy.write_bytes((run_folder / held).read_bytes())
    for words in (["--preset=digits"], ["--preset=digits", "--resume", state]):
        assert "holds a training already" in fails("train", *words, "--out", tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [copy]
    assert copy.read_bytes() == (run_folder / held).read_bytes()


def test_an_unwritable_run_folder_is_refused_before_training(fails, tmp_path, monkeypatch):
    monkeypatch.setattr("pixelcnn.training.train_pixelcnn", None)
    (tmp_path / "file").write_text("")
    assert "not a folder" in fails("train", "--preset=digits", "--out", tmp_path / "file" / "run")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such locks")
@pytest.mark.parametrize("more", [[], ["--resume=auto"], ["--overwrite"]])
def test_two_trainings_do_not_mix_in_one_folder(fails, tiny, tmp_path, more):
    with another_process_in(tmp_path):
        assert "Another process is at work in" in fails("train", *tiny, *more, "--out", tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == [LOCK_FILE]


def test_the_state_of_a_training_can_be_sampled(run_folder, tmp_path):
    state, out = run_folder / "checkpoints" / "last.ckpt", tmp_path / "a.png"
    assert main(["sample", str(state), "--num-samples=2", "--out", str(out)]) == 0
    with Image.open(out) as image:
        assert image.text["Description"] == "generated image"


@pytest.mark.skipif(os.name == "nt", reason="sends a POSIX signal")
@pytest.mark.parametrize(
    ("sent", "code", "again"),
    [(signal.SIGINT, 130, " Ctrl-C again stops at once."), (signal.SIGTERM, 143, "")],
)
def test_a_signal_saves_and_says_how_to_continue(tmp_path, tiny, sent, code, again):
    folder = tmp_path / "run"
    words = ["train", "--preset=digits", "--device=cpu", "--out", str(folder), *tiny]
    command = [sys.executable, "-m", "pixelcnn", *words, "--training.max_epochs=100000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        state = folder / "checkpoints" / "last.ckpt"
        deadline = time.monotonic() + 120
        while not state.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        process.send_signal(sent)
        _, err = process.communicate(timeout=60)
    assert process.returncode == code
    lines = [line for line in err.decode().splitlines() if not line.startswith("epoch ")]
    assert lines[1].startswith("Training pixelcnn (")
    assert [lines[0], *lines[2:]] == [
        "Loading PyTorch …",
        f"Stopping as soon as the state can be saved.{again}",
        f"pixelcnn: Stopped. Continue with: pixelcnn train --resume {state}",
    ]


def test_auto_trains_evaluates_and_then_has_nothing_to_do(tmp_path, tiny, capsys):
    folder = tmp_path / "run"
    words = ["train", "--preset=digits", "--out", str(folder), "--resume=auto", *tiny]
    assert main(words) == 0
    metrics = (folder / "metrics.json").read_text()
    assert main(words) == 0
    assert f"Nothing to do: {folder}" in capsys.readouterr().out
    assert main([*words, "--model.hidden_channels=6"]) == 2
    assert "trained with `model.hidden_channels`" in capsys.readouterr().err
    (folder / "metrics.json").unlink()  # as if it was killed after the last epoch
    assert main(["train", "--out", str(folder), "--resume", "auto"]) == 0
    again = json.loads((folder / "metrics.json").read_text())
    assert again["nll_nats"] == json.loads(metrics)["nll_nats"]
    assert main([*words, "--training.max_epochs=2"]) == 0
    assert read_card(folder / "model.safetensors")["training"]["epochs"] == 2


def test_ctrl_c_during_the_evaluation_says_how_to_continue(tmp_path, tiny, monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    folder = tmp_path / "a run"
    monkeypatch.setattr("pixelcnn.cli.outputs.training_report.finish", interrupted)
    assert main(["train", "--preset=digits", *tiny, "--out", str(folder)]) == 130
    said = capsys.readouterr().err
    monkeypatch.undo()
    assert f"train --resume auto --out '{folder}'" in said
    assert main(["train", "--resume", "auto", "--out", str(folder)]) == 0


def test_a_run_does_not_both_go_on_and_begin_anew(run_folder, fails):
    words = ["--preset=digits", "--out", run_folder, "--overwrite"]
    assert "leave out one" in fails("train", *words, "--resume", "auto")
    assert "leave out one" in fails("train", "--overwrite", "--resume", run_folder)


def test_auto_needs_a_run_folder(fails):
    assert "`--resume auto` needs `--out" in fails("train", "--preset=digits", "--resume=auto")


def test_more_patience_trains_on_a_finished_run_that_stopped_early(tmp_path, tiny, capsys):
    idle = ["--training.learning_rate=1e-20", "--training.max_epochs=5"]
    words = ["train", "--preset=digits", *tiny, *idle, "--out", str(tmp_path), "--resume=auto"]
    assert main([*words, "--training.early_stopping_patience=1"]) == 0
    assert read_card(tmp_path / "model.safetensors")["training"]["epochs"] == 2
    assert main([*words, "--training.early_stopping_patience=2"]) == 0
    assert "epoch 3/5" in capsys.readouterr().err
