"""From a reader's source to splits ready for training, with their protocol."""

from dataclasses import replace
from functools import partial
from typing import Literal

from pixelcnn.data.image_sets import DataSplits, ImageSet, Source
from pixelcnn.data.splits import hold_out, subsample
from pixelcnn.data.transforms import resize, sample_binary_fixed, threshold
from pixelcnn.errors import DataError
from pixelcnn.spec import requantise

Binarization = Literal["none", "threshold", "dynamic"]

TEST_FRACTION = 0.1


def prepare_splits(
    source: Source,
    *,
    size: tuple[int, int] | None,
    levels: int | None,
    binarization: Binarization,
    val_fraction: float,
    max_samples: int | None,
    seed: int,
) -> DataSplits:
    """Splits, resizes, subsamples and quantises; the options are those of `load_data`, checked."""
    splits, origin = _split(source, val_fraction)
    protocol = [source.name]
    if size is not None and (source.resized or size != source.train.spec.shape[1:]):
        nearest = source.categorical
        splits = {split: _resize(images, size, nearest) for split, images in splits.items()}
        how = " by the nearest pixel" if nearest else ""
        protocol.append(f"resized to {size[0]}×{size[1]}{how}")
    splits = {
        split: subsample(images, max_samples, seed=seed if split == "train" else 0)
        for split, images in splits.items()
    }
    splits, description = _quantise(splits, levels, binarization)
    if max_samples is not None:
        origin.append(f"at most {max_samples:,} images of each split")
    counts = "/".join(f"{len(images):,}" for images in splits.values())
    protocol += [description, f"{counts} ({'; '.join([*origin, *source.notes])})"]
    return DataSplits(
        **splits,
        spec=splits["train"].spec,
        label_names=source.label_names,
        attribute_names=source.attribute_names,
        protocol=", ".join(protocol),
    )


def _split(source: Source, val_fraction: float) -> tuple[dict[str, ImageSet], list[str]]:
    """The three splits, and a note on those that were held out of the training images."""
    train, val, test = source.train, source.val, source.test
    missing = [name for name, images in (("validation", val), ("test", test)) if images is None]
    if len(train) <= len(missing):
        raise DataError(
            f"{source.name} holds {len(train)} training {'image' if len(train) == 1 else 'images'}"
            f", but at least {len(missing) + 1} are needed: one to train on, and one each for "
            f"{' and '.join(missing)}. Add images."
        )
    if test is None:
        train, test = hold_out(train, TEST_FRACTION)
    if val is None:
        train, val = hold_out(train, val_fraction)
    origin = f"{' and '.join(missing)} from training" if missing else "its own validation images"
    return {"train": train, "val": val, "test": test}, [origin]


def _resize(images: ImageSet, size: tuple[int, int], nearest: bool) -> ImageSet:
    spec = replace(images.spec, height=size[0], width=size[1])
    if spec == images.spec:
        return images
    change = partial(resize, levels=spec.levels, size=size, nearest=nearest)
    return images.apply(change, spec)


def _quantise(
    splits: dict[str, ImageSet], levels: int | None, binarization: str
) -> tuple[dict[str, ImageSet], str]:
    """Rounds the splits to the levels wanted, or binarizes them; and describes it."""
    spec = splits["train"].spec
    stored, binary = spec.levels, replace(spec, levels=2)
    if binarization == "dynamic":
        fixed = partial(sample_binary_fixed, levels=stored)
        held = {split: splits[split].apply(fixed, binary) for split in ("val", "test")}
        return {"train": splits["train"].dynamically_binarized(), **held}, "dynamically binarized"
    if binarization == "threshold":
        transform, spec = partial(threshold, levels=stored), binary
        description = f"thresholded at {(stored - 1) / 2:g}"
    elif levels in (None, stored):
        return splits, f"{stored} levels"
    else:
        assert levels is not None
        transform, spec = (
            partial(requantise, levels=stored, to=levels),
            replace(spec, levels=levels),
        )
        description = f"{levels} levels of {stored}"
    return {split: images.apply(transform, spec) for split, images in splits.items()}, description
