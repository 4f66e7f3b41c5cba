"""The images that a question is about: files that were named, or a split of the run's data."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from pixelcnn.cli.commands.evaluate import evaluation_settings
from pixelcnn.cli.inputs.conditions import is_typed, typed_condition
from pixelcnn.cli.outputs.console import counted
from pixelcnn.config.images import load_images
from pixelcnn.data import ImageSet
from pixelcnn.data.files.decoding import LEVELS, SUFFIXES, read_pixels
from pixelcnn.data.files.listing import list_images
from pixelcnn.data.sources.array_conditions import to_labels
from pixelcnn.data.sources.arrays import load_arrays, stated_levels, to_images
from pixelcnn.data.transforms import resize
from pixelcnn.errors import ConfigError, DataError
from pixelcnn.evaluation import check_image_conditions, check_spec, labels_by_name
from pixelcnn.models import AutoregressiveModel
from pixelcnn.spec import requantise

ARRAYS = (".npz", ".npy")


@dataclass(frozen=True)
class QueryImages:
    """Images that a question is about.

    Attributes:
        x: Levels of the model. (N, C, H, W), int64.
        names: What each image is called: its file, or its number.
        cond: What the model is told of each, (N, …); None for nothing.
        labels: Classes of the images where they are known. (N,), int64; or None.
        about: One line that says what the images are.
        foreign: Why labels that the images come with say nothing to the model; None if they do.
    """

    x: Tensor
    names: list[str]
    cond: Tensor | None
    labels: Tensor | None
    about: str
    foreign: str | None = None

    def only(self, numbers: slice) -> "QueryImages":
        """Some of the images."""
        return replace(
            self,
            x=self.x[numbers],
            names=self.names[numbers],
            cond=None if self.cond is None else self.cond[numbers],
            labels=None if self.labels is None else self.labels[numbers],
        )


def query_images(
    args: argparse.Namespace,
    model: AutoregressiveModel,
    *,
    with_condition: bool = True,
    sums_labels: bool = False,
) -> QueryImages:
    """Reads the images that were asked about.

    Args:
        args: `files`; or `split`, `config` and settings of data where there are none;
            `max_images`; `label`, `attributes` and `maps` where the question takes them.
        model: Whose levels and channels the images get.
        with_condition: Whether the model shall be told what is known of the images.
        sums_labels: Whether the question can be asked of all labels together, where those of the
            images are not the model's.

    Raises:
        ConfigError: If the model must be told more than is known, or settings do not fit.
        DataError: If a file cannot be read, or the sizes differ.
    """
    if args.files:
        if args.split or args.config or args.settings:
            raise ConfigError(
                "Name files, or a split and settings of data, not both: leave out "
                f"`{args.files[0]}` and what follows, or --split, --config and --data.…"
            )
        asked = read_files([Path(file) for file in args.files], model)
    else:
        asked = from_split(args, model, with_condition=with_condition)
    if args.max_images is not None and args.max_images < len(asked.x):
        count = "" if args.max_images == 1 else f"{args.max_images:,} "
        about = f"the first {count}of {asked.about}"
        asked = replace(asked.only(slice(args.max_images)), about=about)
    if not with_condition or (sums_labels and asked.foreign and not is_typed(args)):
        return replace(asked, cond=None)
    return replace(asked, cond=condition_of(args, model, asked))


def condition_of(
    args: argparse.Namespace, model: AutoregressiveModel, asked: QueryImages
) -> Tensor | None:
    """What was typed, else what the images come with, else nothing where the model allows it."""
    if asked.cond is not None and not is_typed(args):
        return asked.cond
    if asked.foreign and not (is_typed(args) or model.condition.is_optional):
        raise ConfigError(
            f"The model must be told a label, but {asked.foreign}. Say by `--label NAME` which of "
            f"its own to take."
        )
    cond = typed_condition(args, model, len(asked.x))
    if cond is not None and model.condition.kind == "maps" and cond.shape[2:] != asked.x.shape[2:]:
        (height, width), (wanted, across) = cond.shape[2:], asked.x.shape[2:]
        raise ConfigError(
            f"`--maps` must be as large as the images, {wanted}×{across} pixels, got "
            f"{height}×{width} in {args.maps}."
        )
    return cond


def split_of(
    args: argparse.Namespace, model: AutoregressiveModel, *, with_condition: bool = True
) -> tuple[ImageSet, str, str, str | None]:
    """The split that is asked about, of the data of the run or of those that settings name.

    Returns:
        Its images, where they are stored; its name; what they are, in one line; and `foreign`, as
        `QueryImages` has it.
    """
    config = evaluation_settings(args)
    data, foreign = labels_by_name(model.condition, load_images(config))
    name = config.evaluation.split
    images: ImageSet = getattr(data, name)
    check_spec(model, images.spec)
    if with_condition and foreign is None:
        check_image_conditions(model.condition, images.conditions)
    about, count = data.protocol, args.max_images
    if count is not None and count < len(images):
        about += f", the first {count:,} of {len(images):,} {name} images"
        images = images.take(torch.arange(count))
    return images, name, about, foreign


def from_split(
    args: argparse.Namespace, model: AutoregressiveModel, *, with_condition: bool
) -> QueryImages:
    """All images of a split."""
    images, split, about, foreign = split_of(args, model, with_condition=with_condition)
    if images.is_dynamic:
        raise ConfigError(
            "These images are drawn anew in every epoch. Ask about --split val or test."
        )
    x = next(iter(images.read([torch.arange(len(images))]))).long()
    names = [f"{split}-{number}" for number in range(len(x))]
    cond = images.conditions.of(model.condition.kind)
    return QueryImages(x, names, cond, images.labels, about, foreign)


def read_files(files: Sequence[Path], model: AutoregressiveModel) -> QueryImages:
    """Images of files, folders and NumPy files of levels, in the levels of the model.

    Image files are scaled and cropped to the size of the model, where it has one and they have
    another. Levels in a NumPy file are taken as they are.

    Returns:
        The images, with labels where a single NumPy file holds them, or where all images lie in
        sub-folders that are called as labels of the model.

    Raises:
        DataError: If a file is missing or broken, or images do not fit together.
    """
    if len(files) == 1 and files[0].suffix.lower() in ARRAYS:
        return read_levels(files[0], model)
    listed = [pair for file in files for pair in image_files(file)]
    paths = [path for path, _ in listed]
    pixels = [read_pixels(path, channels=channels_of(model)) for path in paths]
    height, width = pixels[0].shape[1:]
    size = model.image_size or (height, width)
    if model.image_size is None:
        for path, each in zip(paths, pixels, strict=True):
            if tuple(each.shape[1:]) != size:
                raise DataError(
                    f"All images must have one size: {paths[0]} has {size[0]}×{size[1]} pixels, "
                    f"{path} has {each.shape[1]}×{each.shape[2]}."
                )
    x = torch.cat([resize(each[None], levels=LEVELS, size=size) for each in pixels])
    x = requantise(x, LEVELS, to=model.num_classes)
    about = f"{counted(len(x), 'image')} from {files[0]}{' …' if len(files) > 1 else ''}"
    num_scaled = sum(tuple(each.shape[1:]) != size for each in pixels)
    if num_scaled:
        about += (
            f"; {num_scaled:,} of them scaled and cropped to the model's {size[0]}×{size[1]} "
            f"pixels, on which nats and bits depend"
        )
    labels = labels_of([name for _, name in listed], model)
    cond = labels if model.condition.kind == "labels" else None
    return QueryImages(x, [str(path) for path in paths], cond, labels, about)


def labels_of(classes: Sequence[str | None], model: AutoregressiveModel) -> Tensor | None:
    """The labels that classes of images stand for, (N,); None unless the model knows them all."""
    if model.num_labels is None:
        return None
    names = model.condition.every_name
    if not set(classes) <= set(names):
        return None
    return torch.tensor([names.index(str(name)) for name in classes])


def image_files(file: Path) -> list[tuple[Path, str | None]]:
    """A file itself, or the images of a folder, each with the class that its sub-folder names."""
    if file.is_dir():
        found = list_images(file)
        classes = [name for name, count in found.classes for _ in range(count)]
        return [(found.paths[i], classes[i] if classes else None) for i in range(len(found.paths))]
    if not file.exists():
        raise DataError(f"There is no `{file}`. Name image files, folders, or one .npz of levels.")
    if file.suffix.lower() in ARRAYS:
        raise DataError(f"`{file}` must be named alone: levels and image files do not mix.")
    if file.suffix.lower() not in SUFFIXES:
        raise DataError(f"`{file}` must end in one of {', '.join(sorted(SUFFIXES))}.")
    return [(file, None)]


def channels_of(model: AutoregressiveModel) -> int:
    """1 or 3, as image files have."""
    if model.in_channels not in (1, 3):
        raise DataError(
            f"Image files have 1 or 3 channels, and the model has {model.in_channels}: name an "
            f".npz of levels."
        )
    return model.in_channels


def read_levels(path: Path, model: AutoregressiveModel) -> QueryImages:
    """Levels as `pixelcnn sample --out FILE.npz` writes them, or one .npy of them."""
    arrays = load_arrays(path)
    key = "x" if "x" in arrays else ""
    if key not in arrays:
        raise DataError(
            f"{path} must hold `x`, levels (N, C, H, W), as `pixelcnn sample --out FILE.npz` "
            f"writes; got {', '.join(sorted(arrays))}. For a data set use --data.dataset_name "
            f"npz:{path}."
        )
    layout = "NCHW" if key and arrays[key].ndim == 4 else None
    x = to_images(arrays[key], layout=layout, where=f"{path}").long()
    levels = stated_levels(arrays["levels"], path) if "levels" in arrays else model.num_classes
    if levels != model.num_classes:
        raise DataError(
            f"{path} holds {levels} levels, and the model has {model.num_classes}. Draw or "
            f"quantise them with as many."
        )
    check_images(x, model, path)
    labels = None
    if "labels" in arrays and model.num_labels is not None:
        labels = to_labels(
            arrays["labels"],
            model.num_labels,
            count=len(x),
            where=f"`labels` of {path}",
            source="as the model has them",
        )
    names = [f"{path.stem}-{number}" for number in range(len(x))]
    cond = labels if model.condition.kind == "labels" else None
    return QueryImages(x, names, cond, labels, f"{counted(len(x), 'image')} from {path}")


def check_images(x: Tensor, model: AutoregressiveModel, path: Path) -> None:
    """Raises `DataError` unless images of a file have the channels and levels of the model."""
    if x.shape[1] != model.in_channels:
        raise DataError(
            f"{path} must hold images of {counted(model.in_channels, 'channel')} like the model, "
            f"got {x.shape[1]}."
        )
    wrong = ((x < 0) | (x >= model.num_classes)).flatten(1).any(1).nonzero().flatten().tolist()
    if wrong:
        odd = x[wrong[0]]
        raise DataError(
            f"{path} must hold levels from 0 to {model.num_classes - 1}, and {len(wrong):,} of "
            f"{counted(len(x), 'image')} hold others: image {wrong[0]} (from 0) has levels from "
            f"{int(odd.min())} to {int(odd.max())}. Quantise them with {model.num_classes} levels."
        )
