"""Every way a command can end, with its exit code and its one line."""

import argparse
import os
import re
import subprocess
import sys

import pytest

from pixelcnn.cli import main
from pixelcnn.cli.entry import explain
from pixelcnn.cli.parsers.parser import build_parser, command_parsers
from pixelcnn.errors import CheckpointError
from pixelcnn.version import __version__

COMMANDS = command_parsers(build_parser())


def test_the_version_is_printed(capsys):
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
        (OSError(2, "No such file or directory", b"a"), "No such file or directory `a`.", 2),
        (OSError("odd"), "odd.", 2),
    ],
)
def test_errors_become_one_line_and_a_code(error, line, code):
    assert explain(error) == (line, code)


class ArrayMemoryError(MemoryError):
    """As NumPy has one."""


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        ArrayMemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes"),
    ],
)
@pytest.mark.parametrize(
    ("command", "options"),
    [
        (["sample", "x"], ["--batch-size", "--size", "--scale", "--shards"]),
        (["sample", "x", "--shards", "y"], ["--shard-size", "--batch-size", "--size"]),
        (["evaluate", "x"], ["--evaluation.batch_size"]),
        (["train"], ["--data.batch_size"]),
    ],
    ids=str,
)
def test_too_little_memory_says_what_to_change(error, command, options, fails, monkeypatch):
    def exhausted(args: argparse.Namespace) -> int:
        raise error

    monkeypatch.setattr(f"pixelcnn.cli.commands.{command[0]}.run", exhausted)
    line = fails(*command)
    assert line.startswith("pixelcnn: Out of memory. ")
    assert [word.strip(",.:()") for word in line.split() if "--" in word] == options


@pytest.mark.parametrize("command", COMMANDS)
def test_the_advice_about_memory_names_options_of_the_command(command):
    parser = COMMANDS[command]
    for name in ("less_memory", "less_memory_of_shards"):
        for word in re.findall(r"--[\w-]+(?![\w.-])", parser.get_default(name) or ""):
            assert word in parser._option_string_actions


@pytest.mark.parametrize("command", ["sample", "evaluate"])
def test_a_home_that_cannot_be_written_to_needs_no_warning(command, tmp_path):
    environment = {k: v for k, v in os.environ.items() if k != "MPLCONFIGDIR"}
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        environment[name] = "/dev/null/home"
    result = subprocess.run(
        [sys.executable, "-m", "pixelcnn", command, "digits", "--device=cpu"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        timeout=120,
    )
    loading = "Loading PyTorch …\n" if command == "evaluate" else ""
    assert (result.returncode, result.stderr) == (0, loading)


def test_bugs_have_a_code_of_their_own(fails, monkeypatch):
    def broken(args: argparse.Namespace) -> int:
        raise KeyError("x")

    monkeypatch.setattr("pixelcnn.cli.commands.info.run", broken)
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


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("train --preset digits --max-epochs 1", "Did you mean `--training.max_epochs`?"),
        ("train --preset digits --max_epochs 1", "Did you mean `--training.max_epochs`?"),
    ],
)
def test_settings_typed_without_their_section_are_suggested(words, message, capsys):
    with pytest.raises(SystemExit):
        main(words.split())
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("train --preset digits --sampling.temperature 0", "use --sampling.top_k 1."),
        ("sample digits --shards D --shard-size 500", "multiple of `--batch-size` 256"),
        ("complete digits --missing none", "by which nothing is missing"),
        ("complete digits --num-sweeps 7 --method gibbs", "`--num-sweeps` must be at least 8"),
        (
            "complete digits --method smc --num-populations 1",
            "`--num-populations` must be at least 2",
        ),
        ("conditional digits --site 4,4 --method gibbs --num-sweeps 3", "must be at least 4"),
    ],
)
def test_errors_name_options_as_they_are_typed(words, message, fails, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert message in fails(*words.split())
