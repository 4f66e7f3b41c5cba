"""Commands that run as several processes: they begin, stop and fail as one."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
import torch

from pixelcnn.cli import main
from pixelcnn.cli.launch import launch
from pixelcnn.errors import LOST, LostProcessError, PixelCNNError
from pixelcnn.runs import read_state

DIGITS = [
    "--preset=digits",
    "--device=cpu",
    "--model.hidden_channels=8",
    "--model.num_residual_blocks=1",
    "--training.max_epochs=4",
    "--training.warmup_steps=0",
    "--data.max_samples=200",
    "--data.batch_size=8",
    "--evaluation.max_samples=20",
    "--sampling.per_label=1",
    "--logger.sample_every_n_epochs=0",
    "--logger.tensorboard=false",
]
TOGETHER = ["--training.num_devices=2"]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone"]


def begin(*words: object, launcher=(sys.executable,), cwd=None) -> subprocess.Popen[str]:
    command = [*launcher, "-m", "pixelcnn", "train", *map(str, words)]
    source = str(Path(__file__).parents[2] / "src")
    environment = {**os.environ, "PYTHONPATH": source, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env=environment,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code, and what was said on standard error."""
    said = process.communicate(timeout=240)[1]
    return process.returncode, said


def wait_for_epoch(process: subprocess.Popen[str]) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if re.match(r"epoch 1/\d+:", line):  # a line within the epoch names its step
            return
    raise AssertionError("no epoch ended")


def test_what_every_process_finds_is_the_exit_code(capfd):
    assert launch(["--version"], 2) == 0
    assert capfd.readouterr().out.count("pixelcnn") == 2
    assert launch(["nosuch"], 2) == 2


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
@pytest.mark.parametrize(
    ("does", "message"),
    [
        ("[ $RANK = 1 ] && kill -9 $$; sleep 0.2; exit 69", "Process 1 of 2 was killed by SIGKILL"),
        ("[ $RANK = 0 ] && exit 69; sleep 0.2; kill -9 $$", "Process 1 of 2 was killed by SIGKILL"),
        ("exit 69", "lost the connection to each other"),
    ],
)
def test_the_error_names_the_killed_process(does, message, tmp_path, monkeypatch):
    script = tmp_path / "python"
    script.write_text(f"#!/bin/sh\n{does}\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    with pytest.raises(PixelCNNError, match=message):
        launch(["info"], 2)


def test_a_lost_connection_is_printed_once(monkeypatch, capsys):
    def lose(args):
        raise LostProcessError("Another process ended without a word.")

    monkeypatch.setattr("pixelcnn.cli.commands.info.run", lose)
    assert main(["info"]) == 2
    assert capsys.readouterr().err == "pixelcnn: Another process ended without a word.\n"
    monkeypatch.setattr("pixelcnn.cli.entry.end_with_parent", lambda: True)
    assert main(["info"]) == LOST
    assert capsys.readouterr().err == ""


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_processes_stop_at_one_step_and_go_on_to_where_others_end(tmp_path, number, code):
    assert ended(begin(*DIGITS, *TOGETHER, "--out", tmp_path / "whole"))[0] == 0
    process = begin(*DIGITS, *TOGETHER, "--out", tmp_path / "parts")
    wait_for_epoch(process)
    time.sleep(0.05)
    process.send_signal(number)
    found, said = ended(process)
    assert found == code
    assert said.count("Continue with: pixelcnn train --resume") == 1
    last = tmp_path / "parts" / "checkpoints" / "last.ckpt"
    assert 25 <= read_state(last)["global_step"] < 100
    assert ended(begin("--resume", tmp_path / "parts"))[0] == 0
    states = [
        read_state(tmp_path / name / "checkpoints" / "last.ckpt") for name in ("whole", "parts")
    ]
    for name, weight in states[0]["state_dict"].items():
        assert torch.equal(states[1]["state_dict"][name], weight), name
    entries = [state["callbacks"]["History"]["entries"] for state in states]
    for one, other in zip(*entries, strict=True):
        assert one["val_nll"] == other["val_nll"]
        assert one["train_nll"] == pytest.approx(other["train_nll"], rel=1e-6)


@pytest.mark.slow
def test_torchrun_makes_one_folder_and_says_everything_once(tmp_path):
    code, said = ended(begin(*DIGITS, launcher=TORCHRUN, cwd=tmp_path))
    assert code == 0, said
    (folder,) = (tmp_path / "runs").iterdir()
    assert (folder / "metrics.json").is_file()
    assert said.count("epoch 4/4") == 1
    code, said = ended(begin(*DIGITS, "--out", folder, launcher=TORCHRUN, cwd=tmp_path))
    assert code != 0
    assert said.count("holds a training already") == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--data.dataset_name=npz:nosuch.npz"], "nosuch.npz"),
        (["--training.warmup_steps=5000"], "`training.warmup_steps` must be below"),
        (["--training.learning_rate=1e30", "--training.gradient_clip_val=null"], "must be finite"),
    ],
)
def test_an_error_ends_all_with_one_line(tmp_path, words, message):
    code, said = ended(begin(*DIGITS, *TOGETHER, *words, "--out", tmp_path / "run"))
    assert code == 2
    assert said.count("pixelcnn: ") == 1 and message in said


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_when_one_process_is_killed_all_end(tmp_path, victim):
    process = begin(*DIGITS, *TOGETHER, "--training.max_epochs=900", "--out", tmp_path / "run")
    wait_for_epoch(process)
    children = psutil.Process(process.pid).children()
    assert len(children) == 2
    children[victim].kill()
    code, said = ended(process)
    assert code == 2
    assert f"Process {victim} of 2 was killed by SIGKILL" in said
    assert said.count("pixelcnn: ") == 1
    assert not [each for each in children if each.is_running()]


@pytest.mark.slow
def test_processes_end_with_the_one_that_started_them(tmp_path):
    process = begin(*DIGITS, *TOGETHER, "--training.max_epochs=900", "--out", tmp_path / "run")
    wait_for_epoch(process)
    children = psutil.Process(process.pid).children()
    process.kill()
    _, alive = psutil.wait_procs(children, timeout=60)
    assert not alive
    process.communicate()  # closes its pipes, which would be reported in a later test
    assert (tmp_path / "run" / "checkpoints" / "last.ckpt").is_file()
