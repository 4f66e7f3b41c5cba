"""Progress reaches those who watch a terminal, and those who read a log."""

import logging
import os
import subprocess
import sys
import time

import pytest

from pixelcnn.cli.outputs import console
from pixelcnn.cli.outputs.console import counted, progress_bar, progress_bars


def test_long_work_without_a_terminal_leaves_lines(caplog, monkeypatch):
    monkeypatch.setattr(console, "LINE_SECONDS", 0.0)
    with caplog.at_level(logging.INFO, "pixelcnn"), progress_bar("scoring 4 images") as tell:
        tell(1, 4)
        tell(4, 4)
    assert caplog.messages == ["scoring 4 images: 25 %", "scoring 4 images: 100 %"]


def test_short_work_without_a_terminal_leaves_no_line(caplog):
    with caplog.at_level(logging.INFO, "pixelcnn"), progress_bars() as tell:
        tell("scoring", 1, 1)
    assert caplog.messages == []


def test_a_process_that_does_not_show_progress_is_silent(caplog, monkeypatch):
    monkeypatch.setattr(console, "LINE_SECONDS", 0.0)
    with caplog.at_level(logging.INFO, "pixelcnn"), progress_bar("x", shown=False) as tell:
        tell(1, 1)
    assert caplog.messages == []


@pytest.mark.parametrize(("count", "text"), [(0, "0 images"), (1, "1 image"), (2, "2 images")])
def test_nouns_agree_with_their_count(count, text):
    assert counted(count, "image") == text


@pytest.mark.parametrize("words", [["evaluate", "digits"], ["train", "--preset=nosuch"]])
def test_slow_commands_print_a_line_before_pytorch_is_imported(words, tmp_path):
    (tmp_path / "torch.py").write_text("import time; time.sleep(60)")  # an import that takes long
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{os.pathsep.join(sys.path)}"}
    command = [sys.executable, "-m", "pixelcnn", *words]
    start = time.monotonic()
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stderr.readline().decode() == "Loading PyTorch …\n"
        assert time.monotonic() - start < 30, "before the import, which takes a minute"
        process.kill()
