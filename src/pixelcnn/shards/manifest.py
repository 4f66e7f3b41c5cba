"""The manifest of a folder of shards: the file that describes all of them."""

import os
from collections.abc import Sequence
from pathlib import Path

from pixelcnn.data.sources.folders.shard_folder import FORMAT, MANIFEST, read_manifest
from pixelcnn.errors import ConfigError, OutputError
from pixelcnn.files import remove_leftovers, write_json
from pixelcnn.shards.archive import is_whole, read_notes, read_shard
from pixelcnn.shards.plan import Plan, differences


class ShardFolder:
    """Writes the manifest of a plan into a folder, or checks that the folder has that plan.

    Several processes may do so at once: all write the same bytes. A folder without shards is empty
    and takes another plan. A lost manifest is written again: the shards identify their plan.

    Args:
        folder: Where shards and manifest are.
        plan: The plan of the work.

    Attributes:
        checksums: SHA-256 of each shard by its file name, as far as the manifest has them.

    Raises:
        ConfigError: If the folder has another plan.
        DataError: If its manifest is damaged.
        OutputError: If it cannot be written.
    """

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder = folder
        self.plan = plan
        self.checksums: dict[str, str] = {}
        self._checked: tuple[int, int, int] | None = None
        found, shards = read_manifest(folder), sorted(folder.glob("shard-*.npz"))
        if found is None:
            check_unlisted(shards, plan)
        if found is None or (not shards and found["recipe"] != plan.as_json()):
            write_manifest(folder, plan, [None] * plan.num_shards)
            return
        self.check()
        self.checksums = {each["file"]: each["sha256"] for each in found["shards"]}
        self.checksums = {file: sha for file, sha in self.checksums.items() if sha}

    def check(self) -> None:
        """Raises `ConfigError` if the folder has the manifest of another plan by now."""
        if self._checked is not None and self._checked == self._signature():
            return  # reading it for each of many small shards would take most of the time
        signature = self._signature()
        found = read_manifest(self.folder)
        differing = [] if found is None else differences(self.plan.as_json(), found["recipe"])
        if differing:
            raise ConfigError(
                f"`{self.folder}` holds shards of other settings: {'; '.join(differing)}. "
                f"Use another folder, or the settings of its manifest."
            )
        self._checked = signature

    def _signature(self) -> tuple[int, int, int] | None:
        """Changes when another manifest replaces this one."""
        try:
            found = os.stat(self.folder / MANIFEST)  # noqa: PTH116
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size


def check_unlisted(shards: Sequence[Path], plan: Plan) -> None:
    """Raises `ConfigError` if a shard that no manifest lists belongs to another plan."""
    for file in shards:
        content = read_shard(file)
        if is_whole(content) and read_notes(content).get("recipe") != plan.digest:
            raise ConfigError(
                f"`{file.parent}` holds shards but no {MANIFEST}, and {file.name} has other "
                f"settings. Use another folder, or the settings of that shard."
            )


def write_manifest(folder: Path, plan: Plan, checksums: Sequence[str | None]) -> None:
    """Writes the plan, and the SHA-256 of each shard; None for shards that are missing.

    Raises:
        OutputError: If it cannot be written.
    """
    shards = [
        {
            "file": plan.file_of(number),
            "first": plan.images_of(number).start,
            "count": len(plan.images_of(number)),
            "sha256": checksum,
        }
        for number, checksum in enumerate(checksums)
    ]
    manifest = {"format": FORMAT, "recipe": plan.as_json(), "shards": shards}
    try:
        write_json(folder / MANIFEST, manifest)
    except OutputError:
        # Another process that ends at the same time may have removed our temporary file, but only
        # after it wrote the same manifest.
        if read_manifest(folder) != manifest:
            raise


def tidy(folder: Path, plan: Plan) -> None:
    """Removes temporary files of killed processes, once all shards are complete."""
    files = {plan.file_of(number) for number in range(plan.num_shards)}
    remove_leftovers(folder, {MANIFEST, *files})
