"""Scoring into a folder of shards: the likelihood of each image of a large set."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pixelcnn.arguments import named_arguments
from pixelcnn.checkpoint import fingerprint
from pixelcnn.data import ImageSet
from pixelcnn.data.sources.folders.shard_folder import read_manifest
from pixelcnn.errors import ConfigError
from pixelcnn.inference import densities, score, score_unconditionally
from pixelcnn.inference.query import Progress
from pixelcnn.inference.scoring import LABELS_SUMMED_OUT
from pixelcnn.models import AutoregressiveModel
from pixelcnn.shards.archive import Arrays
from pixelcnn.shards.plan import SHARD_SIZE, ModelPlan, check_sizes
from pixelcnn.shards.work import ShardedWork

BATCH_SIZE = 64
NUM_COMPARED = 256  # images by which the better of two densities is chosen


@dataclass(frozen=True, kw_only=True)
class ScoringPlan(ModelPlan):
    """What is scored, and by which model.

    Attributes:
        num_scored: Images of all shards together, N.
        images: Which images, in words: data set, split, transforms.
        condition: Kind of condition of each image; None: p(x) is measured.
        density: "labels summed out" where the model also has a no-label output; else None, as in
            manifests without this key.
    """

    num_scored: int
    images: str
    condition: str | None
    density: str | None = None

    @property
    def num_images(self) -> int:
        """Images of all shards together."""
        return self.num_scored

    def as_json(self) -> dict[str, Any]:
        """As every plan; without `density` where it is None."""
        return {k: v for k, v in super().as_json().items() if (k, v) != ("density", None)}

    @property
    def notes(self) -> dict[str, Any]:
        """Description of a shard for people."""
        return {
            "description": "negative log-likelihoods in nats",
            "software": f"pixelcnn {self.software['pixelcnn']}",
            "source": f"model {self.weights}, images {self.images}",
        }


@named_arguments
class ShardedScoring(ShardedWork):
    """Negative log-likelihoods of many images, measured with the memory of one batch of them.

    They equal those of `pixelcnn.inference.score` for all images at once, to the bit: shards hold
    whole batches, so the batches are the same. `ShardedWork` describes a folder of shards. A shard
    holds `number` (n,), from 0, and `nats` (n,), float64.

    Args:
        model: Any architecture, on the device where it scores.
        image_set: The images; each batch is read when it is scored.
        folder: Where shards and manifest are.
        images: Which images these are, in words, for the manifest.
        shard_size: Images of each shard but the last, a multiple of `batch_size`.
        batch_size: Images of a forward pass; None for 64, or `shard_size` if that is less.

    Attributes:
        condition: Kind of condition of each image; None: p(x) is measured.
        density: As `Scores.density`; None where there is a condition. Of several ways to compute
            p(x) the better of the first 256 images is taken for all.

    Raises:
        ConfigError: If a setting is out of range, or the folder has other settings.
        DataError: If the folder's manifest is damaged.
        OutputError: If the folder cannot be written to.
    """

    def __init__(
        self,
        model: AutoregressiveModel,
        image_set: ImageSet,
        folder: str | Path,
        *,
        images: str,
        shard_size: int = SHARD_SIZE,
        batch_size: int | None = None,
    ) -> None:
        sizes = check_sizes(len(image_set), shard_size, batch_size, default=BATCH_SIZE)
        if image_set.is_dynamic:
            raise ConfigError(
                "`image_set` must hold fixed images, and these are sampled anew in every epoch. "
                "Score validation or test images."
            )
        self.model = model
        self.image_set = image_set
        self.batch_size = sizes["batch_size"]
        kind = model.condition.kind
        self.condition = None if image_set.conditions.of(kind) is None else kind
        self.density = None if self.condition is not None else self._choose_density(Path(folder))
        is_choice = self.density == LABELS_SUMMED_OUT and len(densities(model)) > 1
        super().__init__(
            folder,
            ScoringPlan(
                shard_size=sizes["shard_size"],
                model=model.name,
                weights=fingerprint(model),
                num_scored=sizes["num_samples"],
                batch_size=self.batch_size,
                images=images,
                condition=self.condition,
                device=model.device.type,
                density=self.density if is_choice else None,
            ),
        )

    def _choose_density(self, folder: Path) -> str:
        """That of the folder if it has been begun, else the better of the first images."""
        ways = densities(self.model)
        found = read_manifest(folder) if len(ways) > 1 else None
        if found is not None:
            return str(found["recipe"].get("density") or ways[-1])
        if len(ways) == 1:
            return ways[0]
        numbers = torch.arange(min(NUM_COMPARED, len(self.image_set)))
        x = next(self.image_set.take(numbers).read([torch.arange(len(numbers))])).long()
        return score_unconditionally(self.model, x, batch_size=self.batch_size).density

    def size_of(self, images: range) -> int:
        """Images."""
        return len(images)

    def arrays_of(self, images: range, on_progress: Progress | None) -> Arrays:
        """Scores images of these numbers."""
        numbers = torch.arange(images.start, images.stop)
        nats = []
        for own in numbers.split(self.batch_size):
            part = self.image_set.take(own)
            x = next(part.read([torch.arange(len(own))])).long().cpu()
            cond = part.conditions.of(self.condition)
            if cond is None:
                scores = score_unconditionally(
                    self.model, x, density=self.density, batch_size=len(x)
                )
            else:
                scores = score(self.model, x, cond, batch_size=len(x))
            nats.append(scores.nats)
            if on_progress is not None:
                on_progress(int(own[-1]) + 1 - images.start, len(images))
        return {"number": numbers.numpy(), "nats": torch.cat(nats).numpy()}

    def results(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
        """Numbers (n,) and nats (n,) of the images of each shard, in order, once all are whole."""
        for shard in range(self.plan.num_shards):
            with np.load(self.folder / self.plan.file_of(shard), allow_pickle=False) as arrays:
                yield arrays["number"], arrays["nats"]
