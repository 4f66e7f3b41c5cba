"""The one file of a folder of shards that says what all of them are."""

import os
from collections.abc import Sequence
from pathlib import Path

from pixelcnn.data.sources.shard_folder import FORMAT, MANIFEST, read_manifest
from pixelcnn.errors import ConfigError, OutputError
from pixelcnn.files import remove_leftovers, write_json
from pixelcnn.shards.archive import is_whole, read_notes
from pixelcnn.shards.plan import Plan, differences


class Claim:
    """Makes a folder that of a plan, or checks that it is.

    Several processes may do so at once: all write the same bytes. A claim without a shard is
    nobody's loss, so another plan may replace it. A manifest that was lost is written again from
    the shards, which say themselves of which plan they are.

    Args:
        folder: Where shards and manifest are.
        plan: What they shall be.

    Attributes:
        checksums: Of each shard by its file name, as far as the manifest has them.

    Raises:
        ConfigError: If it is the folder of another plan.
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
            check_unclaimed(shards, plan)
        if found is None or (not shards and found["recipe"] != plan.as_json()):
            write_manifest(folder, plan, [None] * plan.num_shards)
            return
        self.check()
        self.checksums = {each["file"]: each["sha256"] for each in found["shards"]}
        self.checksums = {file: sha for file, sha in self.checksums.items() if sha}

    def check(self) -> None:
        """Raises `ConfigError` if the manifest of the folder is that of another plan by now."""
        if self._checked is not None and self._checked == self._signature():
            return  # with many small shards, reading it for each would be most of the work
        signature = self._signature()
        found = read_manifest(self.folder)
        differing = [] if found is None else differences(self.plan.as_json(), found["recipe"])
        if differing:
            raise ConfigError(
                f"`{self.folder}` holds shards that were made otherwise: {'; '.join(differing)}. "
                f"Use another folder, or the settings that it was begun with."
            )
        self._checked = signature

    def _signature(self) -> tuple[int, int, int] | None:
        """What changes when another manifest takes the place of this one."""
        try:
            found = os.stat(self.folder / MANIFEST)  # noqa: PTH116
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size


def check_unclaimed(shards: Sequence[Path], plan: Plan) -> None:
    """Raises `ConfigError` if one of the shards that no manifest lists is of another plan."""
    for file in shards:
        content = file.read_bytes()
        if is_whole(content) and read_notes(content).get("recipe") != plan.digest:
            raise ConfigError(
                f"`{file.parent}` holds shards but no {MANIFEST}, and {file.name} is not of the "
                f"same settings. Use another folder, or the settings that it was begun with."
            )


def write_manifest(folder: Path, plan: Plan, checksums: Sequence[str | None]) -> None:
    """Writes what all shards are, and their SHA-256; None for those that are not there yet.

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
        # Another process that ends at the same time may have tidied up what was on its way, but
        # not before the same manifest was in place.
        if read_manifest(folder) != manifest:
            raise


def tidy(folder: Path, plan: Plan) -> None:
    """Removes what killed processes were writing, once all shards are whole."""
    files = {plan.file_of(number) for number in range(plan.num_shards)}
    remove_leftovers(folder, {MANIFEST, *files})
