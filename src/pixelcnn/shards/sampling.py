"""Drawing into a folder of shards, which one process or many fill and any can go on with."""

import math
from pathlib import Path
from typing import Any

import numpy as np

from pixelcnn.arguments import image_shape, real_number, seed_number, whole_number
from pixelcnn.data.conditions import share_evenly
from pixelcnn.data.sources.arrays import level_type
from pixelcnn.inference import PixelCNNSampler, Precision
from pixelcnn.inference.sampling import Report
from pixelcnn.models import AutoregressiveModel, Cond
from pixelcnn.shards.archive import Arrays
from pixelcnn.shards.arguments import SHARD_SIZE, checked_sizes, listed_cond
from pixelcnn.shards.contents import shard_arrays
from pixelcnn.shards.recipe import recipe_for
from pixelcnn.shards.work import ShardedWork


class ShardedSampling(ShardedWork):
    """Images in files of equal size, drawn with the memory of one file.

    Image n is that which `PixelCNNSampler.generate_samples` draws at place n, to the bit: shards
    hold whole batches, so the batches are the same. See `ShardedWork` for what a folder of shards
    is, and `Recipe` for what decides their bytes.

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
        shard_size: int = SHARD_SIZE,
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
        super().__init__(folder, self.recipe)

    def size_of(self, images: range) -> int:
        """Sub-pixels."""
        return len(images) * math.prod(self.recipe.shape)

    def arrays_of(self, images: range, on_progress: Report | None) -> Arrays:
        """Draws images of these numbers."""
        recipe = self.recipe
        cond = None if self.cond is None else share_evenly(self.cond, recipe.num_samples, images)
        x = np.empty((len(images), *recipe.shape), level_type(recipe.levels))
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
        return shard_arrays(recipe, x, self.sampler.model.condition, cond)


def sample_shards(
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
        **settings: As `ShardedSampling` takes them.

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
        >>> sample_shards(PixelCNN(image_size=4), folder, num_samples=10, shard_size=4)
        True
        >>> sorted(file.name for file in folder.iterdir())
        ['manifest.json', 'shard-00000.npz', 'shard-00001.npz', 'shard-00002.npz']
    """
    drawing = ShardedSampling(model, folder, num_samples=num_samples, **settings)
    missing = drawing.missing(worker=worker, num_workers=num_workers)
    drawing.write(missing, on_progress=on_progress)
    return drawing.finish()
