"""Drawing into a folder of shards, which one process or many fill and any can go on with."""

import math
from pathlib import Path

import numpy as np
from typing_extensions import Unpack

from pixelcnn.data.conditions import share_evenly
from pixelcnn.data.sources.arrays import level_type
from pixelcnn.inference import PixelCNNSampler
from pixelcnn.inference.query import Progress
from pixelcnn.models import AutoregressiveModel
from pixelcnn.shards.archive import Arrays
from pixelcnn.shards.arguments import SHARD_SIZE, checked_sizes, listed_cond
from pixelcnn.shards.contents import shard_arrays
from pixelcnn.shards.recipe import recipe_for
from pixelcnn.shards.work import ShardedWork
from pixelcnn.walk import SamplingKeywords, SamplingOptions


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
        shape: As `SamplingOptions`.
        **options: See `pixelcnn.SamplingOptions`. `cond` is shared evenly: of labels (M,),
            attributes (M, A) or maps (M, A, H, W) image n takes number n × M // N. M may be 1, the
            number of labels, or N; of more than N the first are taken. `batch_size` is at most
            `shard_size` by default.

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
        shape: tuple[int, ...] | None = None,
        **options: Unpack[SamplingKeywords],
    ) -> None:
        sizes = checked_sizes(num_samples, shard_size, options.get("batch_size"))
        self.sampler = PixelCNNSampler(model)
        cond = listed_cond(model, options.get("cond"))
        options |= {"cond": cond, "batch_size": sizes["batch_size"]}
        self.options = SamplingOptions.of(options, model.sample_shape(shape))
        # Checks that they fit the model, before the folder is touched.
        model.prepare_sampling(1 if cond is None else len(cond), self.options, num_blank=1)
        self.recipe = recipe_for(model, self.options, sizes)
        self.cond = cond
        super().__init__(folder, self.recipe)

    def size_of(self, images: range) -> int:
        """Sub-pixels."""
        return len(images) * math.prod(self.recipe.shape)

    def arrays_of(self, images: range, on_progress: Progress | None) -> Arrays:
        """Draws images of these numbers."""
        recipe = self.recipe
        cond = None if self.cond is None else share_evenly(self.cond, recipe.num_samples, images)
        x = np.empty((len(images), *recipe.shape), level_type(recipe.levels))
        batches = self.sampler.stream(
            len(images),
            first=images.start,
            on_progress=on_progress,
            **{**vars(self.options), "cond": cond},
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
    shard_size: int = SHARD_SIZE,
    shape: tuple[int, ...] | None = None,
    worker: int = 0,
    num_workers: int = 1,
    on_progress: Progress | None = None,
    **options: Unpack[SamplingKeywords],
) -> bool:
    """Samples the missing shards of a folder.

    Args:
        model: As `ShardedSampling`.
        folder: As `ShardedSampling`.
        num_samples: As `ShardedSampling`.
        shard_size: As `ShardedSampling`.
        shape: As `ShardedSampling`.
        worker: Which worker this is, from 0.
        num_workers: How many share the work, each in a process of its own.
        on_progress: Called after every row of a batch, over the images of this worker.
        **options: As `ShardedSampling`.

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
    sampling = ShardedSampling(
        model, folder, num_samples=num_samples, shard_size=shard_size, shape=shape, **options
    )
    missing = sampling.missing(worker=worker, num_workers=num_workers)
    sampling.write(missing, on_progress=on_progress)
    return sampling.finish()
