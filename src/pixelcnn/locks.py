"""Locks between processes, on one machine or several that share a file system."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

from filelock import FileLock, Timeout

from pixelcnn.errors import OutputError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LOCK_FILE = ".lock"
NOTICE_AFTER = 2.0  # seconds of waiting
_held: set[Path] = set()


@contextmanager
def locked_folder(path: str | os.PathLike[str]) -> Iterator[None]:
    """Locks a folder for this process for the length of a block, without waiting.

    Only processes that lock the folder too are kept out. The operating system releases the lock of
    a process that dies, and a process that holds the lock can take it again. On a file system
    without locks no process is kept out.

    Args:
        path: An existing folder that can be written to.

    Raises:
        OutputError: If another process holds the lock.

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
    if folder in _held:
        yield
        return
    lock = folder / LOCK_FILE
    held = _try_lock(lock)
    if held is None:
        raise OutputError(
            f"Another process is at work in `{os.fspath(path)}`. Wait for it, end it, or choose "
            f"another folder. If there is none, remove `{lock}`."
        )
    _held.add(folder)
    with held:
        try:
            yield
        finally:
            _held.discard(folder)


@contextmanager
def exclusive_lock(lock: Path, *, on_wait: Callable[[], None]) -> Iterator[None]:
    """Waits for a lock file, and holds its lock for the length of a block.

    For work with the same result in every process: where nothing can be locked or written, several
    processes do it at the same time. No process may be forked within the block, as it would
    inherit the lock.

    Args:
        lock: The file to lock, which exists only while a process holds or awaits the lock.
        on_wait: Called once if the lock is not free within `NOTICE_AFTER` seconds.
    """
    held = FileLock(lock)
    with suppress(OSError):  # a folder that is missing or read-only
        try:
            held.acquire(timeout=NOTICE_AFTER)
        except Timeout:
            on_wait()
            held.acquire()
    try:
        yield
    finally:
        if held.is_locked:
            _remove(lock)
            held.release()


def _try_lock(lock: Path) -> ExitStack | None:
    """Locks a file; returns what unlocks it at its end, or None if another process holds it."""
    with ExitStack() as stack:
        if fcntl is None:
            try:
                stack.enter_context(FileLock(lock, timeout=0))
            except Timeout:
                return None
        else:
            file = stack.enter_context(lock.open("ab"))
            try:
                # `lockf` and not the `flock` of filelock: that one belongs to the open file, which
                # workers that this process forks inherit, and they may outlive it for a moment.
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except (BlockingIOError, PermissionError):
                return None
            except OSError:  # a file system without locks
                pass
            if not _is_same(file, lock):  # its holder removed it after it was opened here
                return _try_lock(lock)
        stack.callback(_remove, lock)
        return stack.pop_all()


def _is_same(file: IO[bytes], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _remove(lock: Path) -> None:
    # While it is locked: a process that opened it before sees that it is gone, and tries again.
    with suppress(OSError):
        lock.unlink()
