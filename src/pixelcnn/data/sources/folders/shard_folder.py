"""A folder of sampled shards: its manifest, and whether the shards match it."""

import hashlib
from pathlib import Path
from typing import Any

from pixelcnn.data.data_warnings import first_names
from pixelcnn.errors import DataError
from pixelcnn.files import read_json

MANIFEST = "manifest.json"
FORMAT = "pixelcnn-shards/1"


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a folder, or None if there is none.

    Raises:
        DataError: If it is damaged, or of another format.
    """
    path = folder / MANIFEST
    try:
        manifest = read_json(path)
        if manifest["format"] != FORMAT or not isinstance(manifest["recipe"], dict):
            raise ValueError(f"its format is {manifest['format']!r}")
        if not _are_shards(manifest["shards"]):
            raise ValueError("its `shards` do not say `file` and `sha256` of each")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path} must be a manifest of format {FORMAT!r}, and cannot be read as one ({error}). "
            f"Sample into another folder, or remove this one."
        ) from error
    found: dict[str, Any] = manifest
    return found


def shards_of(folder: Path, files: list[Path]) -> list[Path]:
    """The files of one data set: those of a manifest of shards, or all files.

    Args:
        folder: Where they are.
        files: Its .npz files, in order.

    Returns:
        The files, in order.

    Raises:
        DataError: If the folder has a manifest of shards, and does not hold exactly these.
    """
    if not _has_manifest_of_shards(folder):
        return files
    manifest = read_manifest(folder)
    checksums = {} if manifest is None else {e["file"]: e["sha256"] for e in manifest["shards"]}
    names = {file.name for file in files}
    rest = "Run the `pixelcnn sample … --shards` command again: it samples the rest."
    missing = sorted(set(checksums) - names)
    if missing or None in checksums.values():
        raise DataError(
            f"{folder} must hold all {len(checksums)} shards of its {MANIFEST}, and is incomplete: "
            f"{'there is no ' + first_names(missing) if missing else 'not all are finished'}. "
            f"{rest}"
        )
    strays = sorted(names - set(checksums))
    if strays:
        raise DataError(
            f"{folder} must hold no .npz file beside the shards of its {MANIFEST}, got "
            f"{first_names(strays)}. Move what is not listed there elsewhere."
        )
    damaged = [file.name for file in files if _sha256(file) != checksums[file.name]]
    if damaged:
        raise DataError(
            f"Each shard in {folder} must have the SHA-256 of its {MANIFEST}, and these "
            f"differ: {first_names(damaged)}. {rest}"
        )
    return files


def _are_shards(shards: object) -> bool:
    return isinstance(shards, list) and all(
        isinstance(each, dict)
        and isinstance(each.get("file"), str)
        and "sha256" in each
        and isinstance(each["sha256"], str | None)
        for each in shards
    )


def _has_manifest_of_shards(folder: Path) -> bool:
    """Whether there is one, also a damaged one; other programs may use the same file name."""
    try:
        content = (folder / MANIFEST).read_bytes()
    except OSError:
        return False
    return b'"pixelcnn-shards' in content


def _sha256(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error}. Check its disk and its rights.") from None
