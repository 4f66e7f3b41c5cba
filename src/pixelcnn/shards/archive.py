"""One shard as a file: plain arrays, with a checksum at its end."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelcnn.errors import DataError
from pixelcnn.files import atomic_write

Arrays = dict[str, NDArray[Any]]
DIGEST_LENGTH = 64  # hexadecimal digits of SHA-256


def pack(arrays: Mapping[str, Any]) -> bytes:
    """Arrays as an .npz file whose last 64 bytes are the SHA-256 of all bytes before them.

    The checksum is the comment at the end of the zip file, so NumPy reads the file as any other,
    and a reader can check that it is complete. The same arrays give the same bytes: NumPy writes no
    time of day into its files.

    Args:
        arrays: NumPy arrays by name.

    Example:
        >>> whole = pack({"x": np.zeros(1000, np.uint8)})
        >>> is_whole(whole), is_whole(whole[:-1]), whole == pack({"x": np.zeros(1000, np.uint8)})
        (True, False, True)
    """
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    with zipfile.ZipFile(file, "a") as archive:
        archive.comment = bytes(DIGEST_LENGTH)
    content = file.getvalue()[:-DIGEST_LENGTH]
    return content + hashlib.sha256(content).hexdigest().encode()


def is_whole(content: bytes) -> bool:
    """Whether bytes end with the checksum of those before them."""
    content, digest = content[:-DIGEST_LENGTH], content[-DIGEST_LENGTH:]
    return hashlib.sha256(content).hexdigest().encode() == digest


def write_shard(path: Path, arrays: Arrays, notes: Mapping[str, Any]) -> None:
    """Writes a shard, whole or not at all.

    Args:
        path: Its file.
        arrays: What it holds, by name.
        notes: Its description, kept as JSON in one more array, `notes`.

    Raises:
        OutputError: If the file cannot be written.
    """
    content = pack({**arrays, "notes": np.array(json.dumps(notes))})
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)


def read_shard(path: Path) -> bytes:
    """The content of a shard.

    Raises:
        FileNotFoundError: If there is none.
        DataError: If it cannot be read, such as a folder of its name.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise DataError(
            f"{path} must be a shard, and cannot be read: {error.strerror}. Remove it, and run "
            f"this again."
        ) from error


def read_notes(content: bytes) -> dict[str, Any]:
    """The array `notes` of a shard; empty if there is none, or the file is no shard."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            notes = json.loads(str(arrays["notes"]))
    except Exception:  # zipfile, zlib and NumPy raise whatever they trip over
        return {}
    return notes if isinstance(notes, dict) else {}
