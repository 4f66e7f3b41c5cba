"""Keeping two processes from working into one folder at the same time."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from pixelcnn.errors import OutputError

try:
    import fcntl
except ImportError:  # Windows has none
    fcntl = None  # type: ignore[assignment]

LOCK_FILE = ".lock"
LOOK_AGAIN = 0.05  # seconds
PATIENCE = 2.0  # seconds of waiting that are nobody's concern
_held: set[Path] = set()


@contextmanager
def locked_folder(path: str | os.PathLike[str]) -> Iterator[None]:
    """Keeps other processes, also of other machines, out of a folder for the length of a block.

    Only those that lock it, too. The operating system forgets the lock of a process that dies,
    however it dies, and a process that has the lock can take it again. Where the file system, or
    the system, knows no locks, nobody is kept out.

    Args:
        path: A folder that is there and can be written to.

    Raises:
        OutputError: If another process has it.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> with locked_folder(folder):
        ...     [file.name for file in folder.iterdir()]
        ['.lock']
        >>> list(folder.iterdir())
        []
    """
    folder = Path(os.path.realpath(path))
    if fcntl is None or folder in _held:
        yield
        return
    lock = folder / LOCK_FILE
    file = _lock(lock)
    if file is None:
        raise OutputError(
            f"Another process is at work in `{os.fspath(path)}`. Wait for it, end it, or choose "
            f"another place. If there is none, remove `{lock}`."
        )
    _held.add(folder)
    try:
        yield
    finally:
        _held.discard(folder)
        _unlock(lock, file)


@contextmanager
def in_turn(lock: Path, *, on_wait: Callable[[], None]) -> Iterator[None]:
    """Lets other processes, also of other machines, wait for the length of a block.

    As `locked_folder`, but for work that comes to the same whoever does it: where nothing can be
    locked, or written, it is done by several at the same time.

    Args:
        lock: The file to lock, which is there for as long only.
        on_wait: Called once if there is much waiting to do.
    """
    file, since, is_told = None, time.monotonic(), False
    with suppress(OSError):  # a folder that cannot be written to, such as one that is not there
        while fcntl is not None and (file := _lock(lock)) is None:
            if not is_told and time.monotonic() - since > PATIENCE:
                on_wait()
                is_told = True
            time.sleep(LOOK_AGAIN)
    try:
        yield
    finally:
        if file is not None:
            _unlock(lock, file)


def _lock(lock: Path) -> IO[bytes] | None:
    """Opens and locks a file, which is there afterwards; None if another process has it."""
    while True:
        file = lock.open("ab")
        try:
            # Of the process and not of the file, as `flock` would: workers that it forks, and that
            # may outlive it for a moment, do not have this one.
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            file.close()
            return None
        except OSError:
            return file
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), lock.stat()):
                return file
        file.close()  # somebody ended, and removed it, after it was opened here


def _unlock(lock: Path, file: IO[bytes]) -> None:
    # While it is ours: whoever comes now makes a new one.
    with suppress(OSError):
        lock.unlink()
    file.close()
