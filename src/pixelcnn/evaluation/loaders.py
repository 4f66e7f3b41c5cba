"""The images behind a loader, each once."""

from collections.abc import Iterable, Sized
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from pixelcnn.data import Batch, Batches, Conditions, ImageSet, TensorImageSet
from pixelcnn.errors import ConfigError, DataError, ShapeError
from pixelcnn.models import AutoregressiveModel
from pixelcnn.nn import Condition
from pixelcnn.spec import check_levels

Loader: TypeAlias = ImageSet | Batches | Iterable[Any]
"""A split of `load_data`; `pixelcnn.data.batches` of one; or a loader of PyTorch that yields
levels (B, C, H, W), or pairs of them and what the model is conditioned on."""


def image_set_of(loader: Loader, model: AutoregressiveModel) -> ImageSet:
    """The images that a loader yields, in the order of their set.

    Args:
        loader: As `Loader` says.
        model: Whose levels and condition the batches of a foreign loader are taken to have.

    Raises:
        ConfigError: If the loader leaves images out or changes them.
        DataError: If it yields nothing, or something else than batches.
        ShapeError: If its images have several shapes, or are no levels of the model.
    """
    if isinstance(loader, ImageSet):
        return loader
    if isinstance(loader, Batches):
        if loader.changes_images or loader.drop_last:
            raise ConfigError(
                "Every image must be judged once and as it is: make the batches without "
                "`augment`, `colour_jitter`, `mutation_rate` and `drop_last`."
            )
        return loader.image_set
    parts = [_batch_of(batch, model.condition) for batch in loader]
    if not parts:
        raise DataError("The loader yields no images.")
    if isinstance(loader, DataLoader):
        _check_whole(loader, sum(len(part.x) for part in parts))
    shapes = sorted({tuple(part.x.shape[1:]) for part in parts})
    if len(shapes) > 1:
        raise ShapeError(f"All images must have one shape (C, H, W), got {shapes}.")
    for part in parts:
        check_levels(part.x, model.num_classes)
    return TensorImageSet(
        torch.cat([part.x for part in parts]),
        **_joined([part.conditions for part in parts])._asdict(),
        levels=model.num_classes,
    )


def _check_whole(loader: DataLoader[Any], count: int) -> None:
    """Raises `ConfigError` if a loader of PyTorch left images out, or drew some repeatedly."""
    # Without a batch size the batches are of somebody's own making.
    if loader.batch_size is None or not isinstance(loader.sampler, Sized):
        return
    wanted = len(loader.sampler)
    if count != wanted or getattr(loader.sampler, "replacement", False):
        raise ConfigError(
            f"Every image must be judged once: the loader yields {count:,} of {wanted:,}. Make it "
            f"with `drop_last=False`, and without a sampler that draws with replacement."
        )


def _batch_of(batch: Any, condition: Condition) -> Batch:
    """A batch of a foreign loader: levels, or levels and the model's kind of condition."""
    if isinstance(batch, Batch):
        return batch
    parts = list(batch) if isinstance(batch, list | tuple) else [batch]
    if not 1 <= len(parts) <= 2 or not all(isinstance(part, Tensor) for part in parts):
        raise DataError(
            f"A loader must yield levels (B, C, H, W), or pairs of them and labels, got "
            f"{type(batch).__name__}."
        )
    x = parts[0].cpu()
    # What a model is not conditioned on can only be labels: other loaders know nothing else.
    kind = condition.kind or "labels"
    return Batch(x, Conditions(**({kind: parts[1].cpu()} if len(parts) == 2 else {})))


def _joined(each: list[Conditions]) -> Conditions:
    """The conditions of all batches."""
    kinds = {tuple(conditions.kinds) for conditions in each}
    if len(kinds) > 1:
        raise DataError("Either all batches of a loader come with conditions, or none.")
    values = (
        [part for one in each if (part := one.of(kind)) is not None] for kind in Conditions._fields
    )
    return Conditions(*(torch.cat(parts) if parts else None for parts in values))
