"""Writing files so that a name never holds an incomplete file."""

import errno
import json
import math
import os
import re
import shutil
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pixelcnn.errors import (
    CheckpointError,
    ConfigError,
    DataError,
    OutputError,
    ShapeError,
    clipped,
)

MAX_DEPTH = 50
"""Of JSON that is read: deeper than all that is written, and far from Python's own limit."""

_ADVICE = {
    errno.ENOSPC: "The disk is full: free some space or choose another place.",
    errno.EDQUOT: "Your quota is used up: free some space or choose another place.",
    errno.EACCES: "Permission is missing: choose a place that you may write to.",
    errno.EROFS: "The place is read-only: choose another.",
    errno.ENOTDIR: "A part of this path is a file, not a folder: choose another place.",
    errno.EEXIST: "A part of this path is a file, not a folder: choose another place.",
    errno.EISDIR: "This is a folder: name a file inside it.",
    errno.ENODEV: "This is a device or a pipe: name a file.",
}


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yields a temporary path beside `path`, and moves it there when the block succeeds.

    The temporary name keeps the suffix, because many writers choose their format by it. Missing
    parent folders are created. When the block fails, nothing is left behind and an older file under
    `path` stays as it was.

    Args:
        path: The final path of the file.

    Yields:
        The path to write to, in the same folder. It does not exist yet.

    Raises:
        OutputError: If the file cannot be written: no permission, no space, not a folder.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> with atomic_write(folder / "new" / "note.txt") as temporary:
        ...     _ = temporary.write_text("whole")
        >>> [file.name for file in (folder / "new").iterdir()]
        ['note.txt']
    """
    # Through links, so that writing to a link fills its target, as `open` would.
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.stem[:80]}-{uuid.uuid4().hex[:12]}{target.suffix}")
    try:
        # A device such as /dev/null would be replaced by a plain file for everybody.
        if target.is_dir():
            raise OSError(errno.EISDIR, "it exists and is not a file")
        if target.exists() and not target.is_file():
            raise OSError(errno.ENODEV, "it is not a file that can be replaced")
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _flush(temporary)
        temporary.replace(target)
    except OutputError:
        raise
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        _remove(temporary)


@contextmanager
def atomic_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yields an empty folder beside `path`, whose files move there when the block succeeds.

    When the block fails, nothing is left behind and older files stay as they were. Other files in
    `path` stay in any case.

    Args:
        path: The final folder of the files.

    Yields:
        The folder to write plain files into.

    Raises:
        OutputError: If it cannot be written to.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp()) / "report"
        >>> with atomic_folder(folder) as temporary:
        ...     _ = (temporary / "page.html").write_text("whole")
        >>> [file.name for file in folder.iterdir()]
        ['page.html']
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name[:80]}-{uuid.uuid4().hex[:12]}")
    try:
        temporary.mkdir(parents=True)
        yield temporary
        for file in temporary.iterdir():
            _flush(file)
        target.mkdir(exist_ok=True)
        for file in temporary.iterdir():
            file.replace(target / file.name)
    except OutputError:
        raise
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def remove_leftovers(folder: Path, names: Collection[str]) -> None:
    """Removes the temporary files that killed processes left of files of these names.

    Only where no process is writing these files: one in progress looks the same. A missing folder
    holds none.
    """
    for path in folder.iterdir() if folder.is_dir() else ():
        parts = re.fullmatch(r"\.(.+)-[0-9a-f]{12}(\.[^.]*)?", path.name)
        if parts and f"{parts[1]}{parts[2] or ''}" in names:
            _remove(path)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Writes `text` in UTF-8, whole or not at all.

    Raises:
        OutputError: If the file cannot be written.
    """
    with atomic_write(path) as temporary:
        # A path may hold bytes that are no text; JSON and YAML read such an escape back.
        temporary.write_bytes(text.encode("utf-8", "backslashreplace"))


def write_json(path: str | os.PathLike[str], obj: Any) -> None:
    """Writes plain JSON types, indented, whole or not at all.

    Numbers that are not finite become `null`, as JSON has none.

    Raises:
        OutputError: If the file cannot be written.
    """
    write_text(
        path, json.dumps(finite_json(obj), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    )


def read_json(path: str | os.PathLike[str]) -> Any:
    """Reads a file of JSON.

    Raises:
        OSError: If it cannot be read.
        ValueError: As `parse_json`, or if it is not UTF-8 text.
    """
    return parse_json(Path(path).read_text(encoding="utf-8"))


def parse_json(text: str) -> Any:
    """What JSON text says.

    Raises:
        ValueError: If it is no JSON, or nested deeper than anything that is written here.

    Example:
        >>> parse_json("[1, {}]")
        [1, {}]
    """
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for each in level for inner in _inner_values(each)]
    if level:
        raise ValueError("it is nested too deeply")
    return value


def parse_object(value: Any) -> dict[str, Any]:
    """A value of JSON that must be an object.

    Raises:
        ValueError: If it is anything else.
    """
    if not isinstance(value, dict):
        raise ValueError(f"it holds {clipped(value, 20)} in place of an object")
    return value


def finite_json(obj: Any) -> Any:
    """Replaces numbers that are not finite, which JSON does not have, by None.

    Example:
        >>> finite_json({"nats": [1.5, float("inf")]})
        {'nats': [1.5, None]}
    """
    if isinstance(obj, Mapping):
        return {name: finite_json(value) for name, value in obj.items()}
    if isinstance(obj, list | tuple):
        return [finite_json(value) for value in obj]
    return None if isinstance(obj, float) and not math.isfinite(obj) else obj


def make_folder(path: str | os.PathLike[str]) -> Path:
    """Makes a folder and checks that it is writable, so that a run fails before its work.

    Returns:
        The folder's path, as given.

    Raises:
        OutputError: If the folder cannot be made, or nothing can be written into it.
    """
    folder = Path(path)
    probe = folder / f".probe-{uuid.uuid4().hex[:12]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"?")
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        _remove(probe)
    return folder


@contextmanager
def provisional_folder(path: str | os.PathLike[str], *, keep: str | None = None) -> Iterator[Path]:
    """Makes a folder, and removes it if the work in it is refused before it begins.

    Args:
        path: As `make_folder`.
        keep: Name of an entry of the folder that exists once the work has begun. A refusal before
            that removes a folder made here with its content; without a name, and after other
            failures, only empty folders made here are removed.

    Yields:
        The folder's path, as given.

    Raises:
        OutputError: As `make_folder`.

    Example:
        >>> import tempfile
        >>> place = Path(tempfile.mkdtemp())
        >>> try:
        ...     with provisional_folder(place / "runs" / "one", keep="checkpoints") as folder:
        ...         write_text(folder / "config.yaml", "levels: 1")
        ...         raise ConfigError("`levels` must be at least 2.")
        ... except ConfigError:
        ...     list(place.iterdir())
        []
    """
    folder = Path(path)
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        yield make_folder(path)
    except BaseException as error:
        refused = isinstance(error, ConfigError | ShapeError | DataError | CheckpointError)
        if refused and made and keep is not None and not (folder / keep).exists():
            shutil.rmtree(folder, ignore_errors=True)
        for each in made:
            with suppress(OSError):  # not empty: it is in use
                each.rmdir()
        raise


def unwritable(path: str | os.PathLike[str], error: OSError) -> OutputError:
    """The error for a path that cannot be written."""
    reason = error.strerror or str(error) or type(error).__name__
    advice = _ADVICE.get(error.errno or 0, "Check the path, or choose another place.")
    return OutputError(f"Cannot write `{os.fspath(path)}`: {reason}. {advice}")


def _inner_values(value: Any) -> Collection[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _flush(path: Path) -> None:
    """Forces the bytes to the disk: renaming first could leave an empty file after a power cut."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _remove(path: Path) -> None:
    # If its folder is missing or unreadable, an earlier error has reported it.
    with suppress(OSError):
        path.unlink(missing_ok=True)
