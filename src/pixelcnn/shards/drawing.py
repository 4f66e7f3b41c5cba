"""Drawing into a folder of shards, which one process or many fill and any can go on with."""

import hashlib
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pixelcnn.arguments import image_shape, real_number, seed_number, whole_number
from pixelcnn.errors import ConfigError
from pixelcnn.files import make_folder
from pixelcnn.inference import PixelCNNSampler, Precision
from pixelcnn.inference.sampler import Report
from pixelcnn.models import AutoregressiveModel, Cond
from pixelcnn.shards.archive import is_whole, read_notes, write_shard
from pixelcnn.shards.contents import Arrays, notes_of, shard_arrays
from pixelcnn.shards.manifest import check_claimed, claim, tidy, write_manifest
from pixelcnn.shards.recipe import recipe_for
from pixelcnn.shards.settings import checked_folder, checked_sizes, listed_cond


class ShardedDrawing:
    """Images in files of equal size, drawn with the memory of one file.

    Image n is that which `PixelCNNSampler.generate_samples` draws at place n, to the bit: shards
    hold whole batches, so the batches are the same. Neither when, nor in which order, nor by how
    many processes shards are drawn changes a byte of them. What could is not left to chance but
    written into the manifest, and a folder of another manifest is refused (see `Recipe`).

    A shard bears its name only when it is whole, and ends with its own checksum. Whatever stops a
    process costs no more than the shards it was drawing: `missing` names those that are not there
    or damaged. Each process draws shards of its own and writes nothing else; the manifest is made
    of what lies in the folder, by whoever finds all of it whole.

    A shard is an .npz file that `pixelcnn.load_data("npz:…")` reads as training images, and so are
    all shards of a folder together: `x_train` (n, C, H, W), `levels`, `layout`, what it was drawn
    by (`y_train` and `label_names`, `attributes_train` or `maps_train`), and `notes` (JSON).

    Args:
        model: Any architecture, on the device where it shall draw.
        folder: Where shards and manifest are.
        num_samples: Images, N, over all shards.
        shard_size: Images of each shard but the last, a multiple of `batch_size`.
        batch_size: Images drawn together; None for 256, or `shard_size` if that is less.
        temperature: As `PixelCNNSampler.generate_samples`; so are the next three.
        top_k: Likewise.
        top_p: Likewise.
        guidance: Likewise.
        cond: Labels (M,), attributes (M, A) or maps (M, A, H, W), shared evenly: image n takes
            number n × M // N of them. M may be 1, the number of labels, or N; of more than N the
            first are taken.
        seed: As `PixelCNNSampler.generate_samples`; so are the next two.
        shape: Likewise.
        precision: Likewise.

    Raises:
        ConfigError: If a setting is out of range, or the folder is that of another drawing.
        ShapeError: If `shape` or `cond` does not fit the model.
        DataError: If the folder's manifest is damaged.
        OutputError: If the folder cannot be written to.
    """

    def __init__(
        self,
        model: AutoregressiveModel,
        folder: str | Path,
        *,
        num_samples: int,
        shard_size: int = 4096,
        batch_size: int | None = None,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        guidance: float = 1.0,
        cond: Cond = None,
        seed: int = 0,
        shape: tuple[int, int, int] | None = None,
        precision: Precision = "float32",
    ) -> None:
        sizes = checked_sizes(num_samples, shard_size, batch_size)
        # Plain numbers, since the manifest is JSON.
        self.how: dict[str, Any] = {
            "temperature": real_number("temperature", temperature),
            "top_k": None if top_k is None else whole_number("top_k", top_k),
            "top_p": None if top_p is None else real_number("top_p", top_p),
            "guidance": real_number("guidance", guidance),
            "seed": seed_number(seed),
            "shape": None if shape is None else image_shape(shape),
            "precision": precision,
        }
        self.sampler = PixelCNNSampler(model)
        self.cond = listed_cond(model, cond)
        # Nothing is drawn by this: arguments are checked, before the folder is touched.
        self.sampler.stream(1 if self.cond is None else len(self.cond), cond=self.cond, **self.how)
        self.recipe = recipe_for(model, cond=self.cond, **sizes, **self.how)
        self.folder = make_folder(checked_folder(folder))
        self.checksums = claim(self.folder, self.recipe)

    def missing(self, *, worker: int = 0, num_workers: int = 1) -> list[int]:
        """Numbers of the shards that are not there or damaged, of those of one worker.

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
        own = range(worker, self.recipe.num_shards, num_workers)
        return [number for number in own if self._checksum(number) is None]

    @property
    def num_present(self) -> int:
        """Shards of which a file is there, whole or not: quicker than `missing`."""
        numbers = range(self.recipe.num_shards)
        return sum((self.folder / self.recipe.file_of(number)).exists() for number in numbers)

    def damaged(self, missing: Iterable[int]) -> list[int]:
        """Those of the missing shards of which a file is there all the same."""
        return [n for n in missing if (self.folder / self.recipe.file_of(n)).exists()]

    def draw(self, shards: Iterable[int], *, on_progress: Report | None = None) -> None:
        """Draws shards, in place of what bears their names.

        Args:
            shards: Their numbers.
            on_progress: Told after every row of a batch, over all of these shards.

        Raises:
            ConfigError: If there is no such shard, or the folder became that of another drawing.
            OutputError: If a shard cannot be written.
        """
        numbers = [whole_number("shards", number, at_least=None) for number in shards]
        beyond = [number for number in numbers if not 0 <= number < self.recipe.num_shards]
        if beyond:
            raise ConfigError(
                f"`shards` must be numbers from 0 to {self.recipe.num_shards - 1}, got {beyond[0]}."
            )
        size = math.prod(self.recipe.shape)
        total = size * sum(len(self.recipe.images_of(number)) for number in numbers)
        done = 0
        for number in numbers:
            file, images = self.recipe.file_of(number), self.recipe.images_of(number)
            arrays = self._draw_one(images, _after(done, total, on_progress))
            check_claimed(self.folder, self.recipe)  # by another, before our first shard was there
            write_shard(self.folder / file, arrays)
            self.checksums.pop(file, None)  # of what it replaces
            done += size * len(images)

    def finish(self) -> bool:
        """Writes the checksums of all shards into the manifest if all are whole.

        Returns:
            Whether they are.

        Raises:
            OutputError: If the manifest cannot be written.
        """
        if self.num_present < self.recipe.num_shards:
            return False  # without reading what is there
        checksums = [self._checksum(number) for number in range(self.recipe.num_shards)]
        if None in checksums:
            return False
        write_manifest(self.folder, self.recipe, checksums)
        tidy(self.folder, self.recipe)
        return True

    def _checksum(self, number: int) -> str | None:
        """SHA-256 of the file of a shard; None if it is not there, damaged or of another recipe."""
        file, images = self.recipe.file_of(number), self.recipe.images_of(number)
        try:
            content = (self.folder / file).read_bytes()
        except FileNotFoundError:
            return None
        if not is_whole(content):
            return None
        if read_notes(content) != notes_of(self.recipe, images):
            return None
        checksum = hashlib.sha256(content).hexdigest()
        return checksum if self.checksums.get(file, checksum) == checksum else None

    def _draw_one(self, images: range, on_progress: Report | None) -> Arrays:
        recipe, cond = self.recipe, self._cond_of(images)
        x = np.empty((len(images), *recipe.shape), np.uint8 if recipe.levels <= 256 else np.uint16)
        batches = self.sampler.stream(
            len(images),
            first=images.start,
            cond=cond,
            batch_size=recipe.batch_size,
            on_progress=on_progress,
            **self.how,
        )
        place = 0
        for batch in batches:
            x[place : place + len(batch)] = batch.numpy()
            place += len(batch)
        return shard_arrays(recipe, images, x, self.sampler.model.condition, cond)

    def _cond_of(self, images: range) -> Tensor | None:
        if self.cond is None:
            return None
        count = max(len(self.cond), self.recipe.num_samples)
        return self.cond[torch.arange(images.start, images.stop) * len(self.cond) // count]


def draw_shards(
    model: AutoregressiveModel,
    folder: str | Path,
    *,
    num_samples: int,
    worker: int = 0,
    num_workers: int = 1,
    on_progress: Report | None = None,
    **settings: Any,
) -> bool:
    """Draws what is missing of a folder of shards.

    Args:
        model: Any architecture, on the device where it shall draw.
        folder: Where shards and manifest are.
        num_samples: Images, N, over all shards.
        worker: Which worker this is, from 0.
        num_workers: How many share the work, each in a process of its own.
        on_progress: Told after every row of a batch, over what this worker draws.
        **settings: As `ShardedDrawing` takes them.

    Returns:
        Whether all shards are whole now, those of other workers too.

    Raises:
        ConfigError: If a setting is out of range, or the folder is that of another drawing.
        ShapeError: If a shape does not fit the model.
        DataError: If the folder's manifest is damaged.
        OutputError: If something cannot be written.

    Example:
        >>> import tempfile
        >>> from pixelcnn.models import PixelCNN
        >>> folder = Path(tempfile.mkdtemp())
        >>> draw_shards(PixelCNN(image_size=4), folder, num_samples=10, shard_size=4)
        True
        >>> sorted(file.name for file in folder.iterdir())
        ['manifest.json', 'shard-00000.npz', 'shard-00001.npz', 'shard-00002.npz']
    """
    drawing = ShardedDrawing(model, folder, num_samples=num_samples, **settings)
    drawing.draw(drawing.missing(worker=worker, num_workers=num_workers), on_progress=on_progress)
    return drawing.finish()


def _after(done: int, total: int, report: Report | None) -> Report | None:
    """Reports a part of the work as what it is of the whole."""
    if report is None:
        return None
    tell = report
    return lambda known, _: tell(done + known, total)
