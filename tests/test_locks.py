"""Facts about folders that one process at a time works in."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pixelcnn import locks
from pixelcnn.errors import OutputError
from pixelcnn.locks import LOCK_FILE, in_turn, locked_folder

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such locks")

HOLD = """
import sys
from pixelcnn.locks import locked_folder
with locked_folder(sys.argv[1]):
    print("locked", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process_in(folder: Path) -> Iterator[subprocess.Popen]:
    command = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"locked\n"
        yield process
        process.stdin.close()


def test_a_folder_is_for_one_process_at_a_time(tmp_path):
    with another_process_in(tmp_path):
        with pytest.raises(OutputError, match=r"Another process is at work in .* remove .*\.lock"):
            locked_folder(tmp_path).__enter__()
        assert (tmp_path / LOCK_FILE).exists()
    with locked_folder(tmp_path):
        pass
    assert not list(tmp_path.iterdir())


def test_a_killed_process_leaves_the_folder_to_others(tmp_path):
    with another_process_in(tmp_path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert (tmp_path / LOCK_FILE).exists()
    with locked_folder(tmp_path):
        pass


def test_who_has_a_folder_can_take_it_again(tmp_path):
    with locked_folder(tmp_path):
        with locked_folder(tmp_path):
            pass
        assert (tmp_path / LOCK_FILE).exists()


def test_a_folder_that_was_removed_is_no_fault_of_the_lock(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    with locked_folder(folder):
        (folder / LOCK_FILE).unlink()
        folder.rmdir()


def test_others_wait_for_their_turn_and_are_told_once(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "PATIENCE", 0.0)
    told = []
    with another_process_in(tmp_path) as process:

        def end_the_other():
            told.append(process.poll())
            process.stdin.close()

        with in_turn(tmp_path / LOCK_FILE, on_wait=end_the_other):
            assert process.wait(timeout=20) == 0
    assert told == [None]
    assert not list(tmp_path.iterdir())


def test_where_nothing_can_be_locked_nobody_waits(tmp_path):
    with in_turn(tmp_path / "nosuch" / "lock", on_wait=pytest.fail):
        pass
