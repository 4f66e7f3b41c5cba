"""Facts about what is shown of a running training."""

import os
import re
import subprocess
import sys
import time

import pytest

from pixelcnn.training.callbacks.progress import ProgressLines
from tests.training.tiny_runs import train

pty = pytest.importorskip("pty", reason="needs pseudo-terminals")


def test_lines_tell_speed_and_time_left(tmp_path, capsys):
    train(tmp_path)
    _, step, first, last = capsys.readouterr().err.splitlines()
    assert re.search(r"train \d+\.\d+ nats per image, \d+:\d\d left$", step)
    assert re.search(r", [\d,]+ images/s, \d+:\d\d left$", first)
    assert re.search(r", [\d,]+ images/s$", last)


def test_steps_are_logged_at_intervals(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(ProgressLines.__init__, "__kwdefaults__", {"interval": 0.0})
    train(tmp_path, training={"max_epochs": 1})
    steps = re.findall(r"step (\d)/4", capsys.readouterr().err)
    assert steps == ["1", "2", "3"]  # then the line of the epoch


@pytest.mark.slow
def test_a_terminal_shows_a_bar_with_the_time_left(tmp_path, tiny_command):
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*tiny_command, "--out", str(tmp_path / "run")],
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        stdin=theirs,
        env={**os.environ, "COLUMNS": "120", "TERM": "xterm"},
    ) as process:
        os.close(theirs)
        shown = read_all(ours)
        assert process.wait(timeout=60) == 0
    for words in ("Epoch 4/4", r"images/s: [\d,]+", r"overall: \d+:\d\d", r"bits/dim: \d\.\d+"):
        assert re.search(words, shown), words


@pytest.fixture
def tiny_command() -> list[str]:
    """A training of a few epochs on a few digits."""
    settings = ["--training.max_epochs=4", "--training.warmup_steps=0", "--data.max_samples=200"]
    return [sys.executable, "-m", "pixelcnn", "train", "--preset", "digits", *settings]


def read_all(descriptor: int) -> str:
    """What a terminal shows until its last writer left."""
    parts = []
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            part = os.read(descriptor, 4096)
        except OSError:  # Linux says so where others give nothing
            break
        if not part:
            break
        parts.append(part)
    os.close(descriptor)
    return re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", b"".join(parts).decode(errors="replace"))
