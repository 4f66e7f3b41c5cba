"""One process at a time works in a locked folder; others wait for an exclusive lock."""

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
from pixelcnn.locks import LOCK_FILE, exclusive_lock, locked_folder

HOLD = """
import os
import sys
from pathlib import Path
from pixelcnn import locks
if "filelock" in sys.argv:
    locks.fcntl = None
folder = Path(sys.argv[1])
lock = locks.exclusive_lock(folder / locks.LOCK_FILE, on_wait=print)
with lock if "exclusive" in sys.argv else locks.locked_folder(folder):
    is_child = "fork" in sys.argv and os.fork() == 0
    if not is_child:
        print("locked", flush=True)
    sys.stdin.read()
    if is_child:
        os._exit(0)
"""


@contextmanager
def another_process_in(folder: Path, *words: str) -> Iterator[subprocess.Popen]:
    command = [sys.executable, "-c", HOLD, str(folder), *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"locked\n"
        yield process
        process.stdin.close()


@pytest.mark.parametrize("way", ["native", "filelock"])
def test_a_folder_is_for_one_process_at_a_time(tmp_path, monkeypatch, way):
    if way == "filelock":  # as on Windows
        monkeypatch.setattr(locks, "fcntl", None)
    with another_process_in(tmp_path, way):
        with pytest.raises(OutputError, match=r"Another process is at work in .* remove .*\.lock"):
            locked_folder(tmp_path).__enter__()
        assert (tmp_path / LOCK_FILE).exists()
    with locked_folder(tmp_path):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot fork")
def test_a_worker_that_outlives_a_killed_process_does_not_hold_its_lock(tmp_path):
    with another_process_in(tmp_path, "fork") as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        with locked_folder(tmp_path):
            pass


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
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


def test_others_wait_for_an_exclusive_lock_and_are_notified_once(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "NOTICE_AFTER", 0.0)
    polled = []
    with another_process_in(tmp_path, "exclusive") as process:

        def end_the_other():
            polled.append(process.poll())
            process.stdin.close()

        with exclusive_lock(tmp_path / LOCK_FILE, on_wait=end_the_other):
            assert process.wait(timeout=20) == 0
            assert (tmp_path / LOCK_FILE).exists()
    assert polled == [None]
    assert not list(tmp_path.iterdir())


def test_where_nothing_can_be_locked_no_process_waits(tmp_path):
    with exclusive_lock(tmp_path / "nosuch" / "lock", on_wait=pytest.fail):
        pass
