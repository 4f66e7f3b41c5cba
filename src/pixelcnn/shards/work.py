"""Work on images by number, into a folder of shards, by one process or many."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path

from pixelcnn.arguments import whole_number
from pixelcnn.data.sources.folders.shard_folder import read_manifest
from pixelcnn.errors import ConfigError, OutputError
from pixelcnn.files import make_folder
from pixelcnn.inference.query import Progress
from pixelcnn.shards.archive import Arrays, is_whole, read_notes, read_shard, write_shard
from pixelcnn.shards.manifest import ShardFolder, tidy, write_manifest
from pixelcnn.shards.plan import Plan


class ShardedWork(ABC):
    """Results for each of many images, in files of equal size.

    The result of an image depends on the plan and on its number alone: the bytes of the shards do
    not depend on the time, the order or the number of processes. The manifest holds all settings
    that decide them, and a folder with another manifest is refused.

    A shard gets its name only when it is complete, and ends with its checksum. A killed process
    loses only the shards it was making: `missing` names those that are absent or damaged. Each
    process writes its own shards; the one that finds all of them complete writes their checksums
    into the manifest.

    Args:
        folder: Where shards and manifest are.
        plan: The work.

    Raises:
        ConfigError: If the folder has another plan.
        DataError: If the folder's manifest is damaged.
        OutputError: If the folder cannot be written to.
    """

    def __init__(self, folder: str | Path, plan: Plan) -> None:
        if not isinstance(folder, str | Path) or not str(folder):
            raise ConfigError(f"`folder` must be the path of a folder, got {folder!r}.")
        self.plan = plan
        self.folder = make_folder(folder)
        self._shard_folder = ShardFolder(self.folder, plan)
        self.checksums = self._shard_folder.checksums

    @abstractmethod
    def arrays_of(self, images: range, on_progress: Progress | None) -> Arrays:
        """The arrays of the shard of these images, without its notes.

        Args:
            images: A run of numbers, as the plan cuts them.
            on_progress: Called with the part of `size_of(images)` that is done, and all.
        """

    @abstractmethod
    def size_of(self, images: range) -> int:
        """The amount of work, in units of progress."""

    def missing(self, *, worker: int = 0, num_workers: int = 1) -> list[int]:
        """Numbers of the absent or damaged shards, of those of one worker.

        Args:
            worker: Which worker, from 0; it has the shards worker, worker + num_workers, …
            num_workers: How many share the work.

        Raises:
            ConfigError: If there is no such worker.
        """
        worker = whole_number("worker", worker, at_least=None)
        num_workers = whole_number("num_workers", num_workers)
        if not 0 <= worker < num_workers:
            raise ConfigError(
                f"`worker` must be from 0 to `num_workers` - 1, got {worker} of {num_workers}."
            )
        own = range(worker, self.plan.num_shards, num_workers)
        return [number for number in own if self._checksum(number) is None]

    @property
    def num_present(self) -> int:
        """Shards with a file, complete or not: quicker than `missing`."""
        numbers = range(self.plan.num_shards)
        return sum((self.folder / self.plan.file_of(number)).exists() for number in numbers)

    @property
    def is_listed(self) -> bool:
        """Whether the manifest lists all shards as complete: quicker than `missing`."""
        found = read_manifest(self.folder)
        return found is not None and all(each["sha256"] for each in found["shards"])

    def damaged(self, missing: Iterable[int]) -> list[int]:
        """Those of the missing shards that have a (damaged) file."""
        return [n for n in missing if (self.folder / self.plan.file_of(n)).exists()]

    def write(self, shards: Iterable[int], *, on_progress: Progress | None = None) -> None:
        """Makes shards, and replaces files of their names.

        Args:
            shards: Their numbers.
            on_progress: Called with the part of the work for these shards that is done, and all.

        Raises:
            ConfigError: If there is no such shard, or the folder has got another plan.
            OutputError: If a shard cannot be written.
        """
        numbers = [whole_number("shards", number, at_least=None) for number in shards]
        beyond = [number for number in numbers if not 0 <= number < self.plan.num_shards]
        if beyond:
            raise ConfigError(
                f"`shards` must be numbers from 0 to {self.plan.num_shards - 1}, got {beyond[0]}."
            )
        total = sum(self.size_of(self.plan.images_of(number)) for number in numbers)
        done = 0
        for number in numbers:
            images = self.plan.images_of(number)
            arrays = self.arrays_of(images, _after(done, total, on_progress))
            self._shard_folder.check()  # replaced by another plan, before our first shard?
            self._put(number, arrays)
            done += self.size_of(images)

    def finish(self) -> bool:
        """Writes the checksums of all shards into the manifest if all are complete.

        Returns:
            Whether they are.

        Raises:
            OutputError: If the manifest cannot be written.
        """
        if self.num_present < self.plan.num_shards:
            return False  # without reading what is there
        checksums = [self._checksum(number) for number in range(self.plan.num_shards)]
        if None in checksums:
            return False
        write_manifest(self.folder, self.plan, checksums)
        tidy(self.folder, self.plan)
        return True

    def _put(self, number: int, arrays: Arrays) -> None:
        file = self.plan.file_of(number)
        self.checksums.pop(file, None)  # of what it replaces
        try:
            write_shard(self.folder / file, arrays, self.plan.notes_of(self.plan.images_of(number)))
        except OutputError:
            # A process that made the same shards may have found all complete, and removed our
            # temporary file: then the shard is there, the same to the byte.
            if self._checksum(number) is None:
                raise

    def _checksum(self, number: int) -> str | None:
        """SHA-256 of the file of a shard; None if it is absent, damaged or of another plan."""
        file = self.plan.file_of(number)
        try:
            content = read_shard(self.folder / file)
        except FileNotFoundError:
            return None
        if not is_whole(content):
            return None
        if read_notes(content) != self.plan.notes_of(self.plan.images_of(number)):
            return None
        checksum = hashlib.sha256(content).hexdigest()
        return checksum if self.checksums.get(file, checksum) == checksum else None


def _after(done: int, total: int, report: Progress | None) -> Progress | None:
    """Reports a part of the work as a part of the whole."""
    if report is None:
        return None
    tell = report
    return lambda known, _: tell(done + known, total)
