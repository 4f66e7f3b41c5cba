"""Every way a command can end, with its exit code and its one line."""

import argparse
import subprocess
import sys

import pytest

from pixelcnn.cli import main
from pixelcnn.cli.entry import explain
from pixelcnn.errors import CheckpointError
from pixelcnn.version import __version__


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"pixelcnn {__version__}\n"


@pytest.mark.parametrize(
    ("error", "line", "code"),
    [
        (CheckpointError("Two\n  lines."), "Two lines.", 2),
        (KeyboardInterrupt(), "Stopped.", 130),
        (KeyboardInterrupt("Stopped. Go on."), "Stopped. Go on.", 130),
        (OSError(28, "No space left on device", "a.png"), "No space left on device `a.png`.", 2),
        (OSError("odd"), "odd.", 2),
    ],
)
def test_errors_become_one_line_and_a_code(error, line, code):
    assert explain(error) == (line, code)


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes")]
)
def test_too_little_memory_says_what_to_do(error):
    line, code = explain(error)
    assert line.startswith("Out of memory. Use fewer images")
    assert code == 2


def test_our_own_bugs_are_told_apart(fails, monkeypatch):
    def broken(args: argparse.Namespace) -> int:
        raise KeyError("x")

    monkeypatch.setattr("pixelcnn.cli.info.run", broken)
    assert "bug in pixelcnn; PIXELCNN_DEBUG=1" in fails("info", "x", code=70)
    monkeypatch.setenv("PIXELCNN_DEBUG", "1")
    with pytest.raises(KeyError):
        main(["info", "x"])


def test_a_reader_that_leaves_is_no_error():
    command = [sys.executable, "-m", "pixelcnn", "train", "--preset", "digits", "--print-config"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.wait(timeout=120) == 141
        assert process.stderr.read() == b""
