"""Sampling into a folder of shards, by one process or many; any can continue it."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from typing_extensions import Unpack

from pixelcnn.arguments import named_arguments, numbers_of
from pixelcnn.data.conditions import share_evenly
from pixelcnn.data.sources.arrays.array_levels import level_type
from pixelcnn.errors import ShapeError
from pixelcnn.inference import PixelCNNSampler
from pixelcnn.inference.query import Progress
from pixelcnn.models import AutoregressiveModel, Cond
from pixelcnn.models.generation import prepare_sampling, sample_shape
from pixelcnn.nn import Condition
from pixelcnn.shards.archive import Arrays
from pixelcnn.shards.plan import SHARD_SIZE, check_sizes
from pixelcnn.shards.sampling_plan import SamplingPlan, plan_sampling
from pixelcnn.shards.work import ShardedWork
from pixelcnn.walk import SamplingKeywords, SamplingOptions


@named_arguments
class ShardedSampling(ShardedWork):
    """Samples in files of equal size, with the memory of one file.

    Image n is image n of `PixelCNNSampler.generate_samples`, to the bit: shards hold whole batches,
    so the batches are the same. `ShardedWork` describes a folder of shards, and `SamplingPlan` the
    settings that decide their bytes.

    `pixelcnn.load_data("npz:…")` reads a shard, or the whole folder, as training images. A shard is
    an .npz file of `x_train` (n, C, H, W), `levels`, `layout`, the condition (`y_train` and
    `label_names`, `attributes_train` or `maps_train`) and `notes` (JSON).

    Args:
        model: Any architecture, on the device where it samples.
        folder: Where shards and manifest are.
        num_samples: Images, N, over all shards.
        shard_size: Images of each shard but the last, a multiple of `batch_size`.
        shape: As `SamplingOptions`.
        **options: See `pixelcnn.SamplingOptions`. `cond` is shared evenly: of labels (M,),
            attributes (M, A) or maps (M, A, H, W) image n takes number n × M // N. M may be 1, the
            number of labels, or N; of more than N the first are taken. `batch_size` is at most
            `shard_size` by default.

    Raises:
        ConfigError: If an option is out of range, or the folder has other settings.
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
        sizes = check_sizes(num_samples, shard_size, options.get("batch_size"))
        self.sampler = PixelCNNSampler(model)
        cond = _list_cond(model, options.get("cond"))
        options |= {"cond": cond, "batch_size": sizes["batch_size"]}
        self.options = SamplingOptions.of(options, sample_shape(model, shape))
        # Checks that they fit the model, before the folder is touched.
        prepare_sampling(model, 1 if cond is None else len(cond), self.options, num_blank=1)
        self.sampling_plan = plan_sampling(model, self.options, sizes)
        self.cond = cond
        super().__init__(folder, self.sampling_plan)

    def size_of(self, images: range) -> int:
        """Sub-pixels."""
        return len(images) * math.prod(self.sampling_plan.shape)

    def arrays_of(self, images: range, on_progress: Progress | None) -> Arrays:
        """Samples images of these numbers."""
        plan = self.sampling_plan
        cond = None if self.cond is None else share_evenly(self.cond, plan.num_samples, images)
        x = np.empty((len(images), *plan.shape), level_type(plan.levels))
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
        return _arrays(plan, x, self.sampler.model.condition, cond)


@named_arguments
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
        ConfigError: If an option is out of range, or the folder has other settings.
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


def _list_cond(model: AutoregressiveModel, cond: Cond) -> Tensor | None:
    """Conditions (M, …) on the CPU; a single one as M = 1.

    Raises:
        ShapeError: If they are no numbers, or there is none.
    """
    if cond is None:
        return None
    values = numbers_of("cond", cond, "labels, attributes or maps").cpu()
    if not values.numel():
        raise ShapeError("`cond` must hold at least one condition, got none. Or leave it out.")
    return values[None] if values.ndim == model.condition.num_axes else values


def _arrays(
    plan: SamplingPlan, x: NDArray[Any], condition: Condition, cond: Tensor | None
) -> Arrays:
    """The arrays of a shard, by the keys of `pixelcnn.data.sources.arrays.arrays.read_npz`.

    Args:
        plan: How they were sampled.
        x: Levels of n images. (n, C, H, W).
        condition: What the model is conditioned on.
        cond: Of each image. (n, …); or None.
    """
    return {
        "x_train": x,
        "levels": np.array(plan.levels),
        "layout": np.array("NCHW"),
        # With guidance 0 the images have no label.
        **({} if cond is None or plan.guidance == 0 else _named(condition, cond)),
    }


def _named(condition: Condition, cond: Tensor) -> Arrays:
    names = np.array(condition.every_name)
    if condition.kind == "labels":
        # All names: a shard need not hold an image of the last label.
        return {"y_train": cond.numpy(), "label_names": names}
    arrays = {f"{condition.kind}_train": cond.float().numpy()}
    if condition.kind == "attributes" and len(set(condition.every_name)) == condition.count:
        arrays["attribute_names"] = names
    return arrays
