"""Keeping two processes from working into one folder at the same time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from pixelcnn.errors import OutputError

try:
    import fcntl
except ImportError:  # Windows has none
    fcntl = None  # type: ignore[assignment]

LOCK_FILE = ".lock"
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
    file = _lock(folder / LOCK_FILE, path)
    _held.add(folder)
    try:
        yield
    finally:
        _held.discard(folder)
        # While it is ours: whoever comes now makes a new one.
        with suppress(OSError):
            (folder / LOCK_FILE).unlink()
        file.close()


def _lock(lock: Path, path: str | os.PathLike[str]) -> IO[bytes]:
    """Opens and locks a file, which is there afterwards."""
    while True:
        file = lock.open("ab")
        try:
            # Of the process and not of the file, as `flock` would: workers that it forks, and that
            # may outlive it for a moment, do not have this one.
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            file.close()
            raise OutputError(
                f"Another process is at work in `{os.fspath(path)}`. Wait for it, end it, or "
                f"choose another place. If there is none, remove `{lock}`."
            ) from None
        except OSError:
            return file
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), lock.stat()):
                return file
        file.close()  # somebody ended, and removed it, after it was opened here
