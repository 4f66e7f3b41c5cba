"""Reads the images of a loader, each once."""

from collections.abc import Iterable, Sized
from typing import Any, NamedTuple, TypeAlias

import torch
from torch.utils.data import DataLoader

from pixelcnn.data import Batches, Conditions, ImageSet, TensorImageSet
from pixelcnn.data.batches import as_batch
from pixelcnn.data.image_sets import narrow
from pixelcnn.errors import ConfigError, DataError, ShapeError, clipped
from pixelcnn.models import AutoregressiveModel
from pixelcnn.spec import FloatReader, check_levels

Loader: TypeAlias = ImageSet | Batches | Iterable[Any]
"""A split of `load_data`; `pixelcnn.data.batches` of one; or a loader of PyTorch that yields
images (B, C, H, W), or pairs of them and what the model is conditioned on. Images are levels, or
floats in [0, 1] or [-1, 1] that stand for levels, see `pixelcnn.spec.FloatReader`."""


class LoadedImages(NamedTuple):
    """The images of a loader.

    Attributes:
        image_set: Each image once, in the order of the loader.
        assumed: How floats were read as levels; None where nothing was assumed.
    """

    image_set: ImageSet
    assumed: str | None = None


def read_loader(loader: Loader, model: AutoregressiveModel) -> LoadedImages:
    """Reads the images of a loader.

    Args:
        loader: As `Loader` says.
        model: Its levels and its kind of condition say how to read batches of PyTorch.

    Raises:
        ConfigError: If it is no loader, leaves images out or changes them.
        DataError: If it yields nothing, or something else than batches.
        ShapeError: If its images have several shapes, or are not levels of the model.
    """
    if isinstance(loader, ImageSet):
        return LoadedImages(loader)
    if isinstance(loader, Batches):
        if loader.augments or loader.drop_last:
            raise ConfigError(
                "Every image must be evaluated once and unchanged: make the batches without "
                "`augment`, `colour_jitter`, `mutation_rate` and `drop_last`."
            )
        return LoadedImages(loader.image_set)
    if isinstance(loader, str) or not hasattr(loader, "__iter__"):
        advice = f' Use `pixelcnn.load_data("{loader}").test`.' if isinstance(loader, str) else ""
        raise ConfigError(
            f"The images must be a split of `load_data` or a loader of batches, got "
            f"{clipped(loader)}.{advice}"
        )
    parts = [as_batch(batch, model.condition.kind).to("cpu") for batch in loader]
    if not parts:
        raise DataError("The loader must yield images, got none. Is its data set empty?")
    if isinstance(loader, DataLoader):
        _check_whole(loader, sum(len(part.x) for part in parts))
    shapes = sorted({tuple(part.x.shape[1:]) for part in parts})
    if len(shapes) > 1:
        raise ShapeError(f"All images must have one shape (C, H, W), got {shapes}. Resize them.")
    reader = FloatReader(model.num_classes)
    for part in parts:  # all of them, before one is read: only together they show the range
        reader.observe(part.x)
    x = []
    for part in parts:
        levels = reader(part.x)
        check_levels(levels, reader.levels)
        x.append(narrow(levels, model.num_classes))
    image_set = TensorImageSet(
        torch.cat(x),
        **_joined([part.conditions for part in parts])._asdict(),
        levels=model.num_classes,
    )
    return LoadedImages(image_set, reader.protocol)


def _check_whole(loader: DataLoader[Any], count: int) -> None:
    """Raises `ConfigError` if a loader of PyTorch leaves images out, or repeats some."""
    # Without a batch size, only its author knows how many images a loader should yield.
    if loader.batch_size is None or not isinstance(loader.sampler, Sized):
        return
    wanted = len(loader.sampler)
    if count != wanted or getattr(loader.sampler, "replacement", False):
        raise ConfigError(
            f"Every image must be evaluated once: the loader yields {count:,} of {wanted:,}. Make "
            f"it with `drop_last=False`, and without a sampler that samples with replacement."
        )


def _joined(each: list[Conditions]) -> Conditions:
    """The conditions of all batches."""
    kinds = {tuple(conditions.kinds) for conditions in each}
    if len(kinds) > 1:
        raise DataError(
            "Either all batches of a loader must have labels or none, got some with and some "
            "without."
        )
    values = (
        [part for one in each if (part := one.of(kind)) is not None] for kind in Conditions._fields
    )
    return Conditions(*(torch.cat(parts) if parts else None for parts in values))
