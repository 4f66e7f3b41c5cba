"""Damaged files on the command line: what a command prints, and its exit code."""

import io
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from pixelcnn.cli import main
from tests.fuzz.limits import TookTooLongError, limited
from tests.fuzz.target import Target

SECONDS = 10.0  # of CPU time: a command also scores or samples
RIGHT = (0, 2)  # an answer, or what the user can mend
COMPUTING = ("sample", "score", "complete", "evaluate")


def words_for(target: Target, path: Path, out: Path) -> list[str]:
    """The words after `pixelcnn` of the command that reads a target's file."""
    assert target.words is not None
    words = [str(word) for word in target.words(path, out)]
    return [*words, "--device=cpu"] if words[0] in COMPUTING else words


def run_here(words: list[str]) -> tuple[int | str, str]:
    """Exit code and standard error of a command in this process."""
    said = io.StringIO()
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(said), limited(SECONDS):
            return main(words), said.getvalue()
    except SystemExit as error:  # argparse
        return error.code or 0, said.getvalue()
    except TookTooLongError:
        return "took too long", said.getvalue()


def run_process(words: list[str]) -> tuple[int, str]:
    """Exit code and standard error of a command as a process of its own."""
    command = [sys.executable, "-m", "pixelcnn", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    return done.returncode, done.stderr


def problem_of(code: int | str, said: str) -> str | None:
    """What is wrong with how a command ended; None if nothing is.

    It answers, or says in one line why not: the last, which alone begins with the program's name.
    """
    lines = said.splitlines()
    if code not in RIGHT or "Traceback" in said:
        return f"exit code {code}: {said[-300:]}"
    messages = [line for line in lines if line.startswith("pixelcnn")]
    if code == 2 and (len(messages) != 1 or lines[-1] != messages[0]):
        return f"no single message at the end: {said[-300:]}"
    return None
