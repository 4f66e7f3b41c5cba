"""The images that a question is about: files that were named, or a split of the run's data."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from pixelcnn.cli.conditions import Wish, choose_condition
from pixelcnn.cli.evaluate import settings_of
from pixelcnn.data import DataSplits
from pixelcnn.data.array_conditions import to_labels
from pixelcnn.data.arrays import load_arrays, stated_levels, to_images
from pixelcnn.data.folder import LEVELS, SUFFIXES, list_images, read_pixels
from pixelcnn.data.transforms import resize
from pixelcnn.errors import ConfigError, DataError
from pixelcnn.evaluation import check_condition, check_fit
from pixelcnn.models import AutoregressiveModel
from pixelcnn.spec import requantise
from pixelcnn.training.run import load_images

ARRAYS = (".npz", ".npy")


@dataclass(frozen=True)
class Asked:
    """Images that a question is about.

    Attributes:
        x: Levels of the model. (N, C, H, W), int64.
        names: What each image is called: its file, or its number.
        cond: What the model is told of each, (N, …); None for nothing.
        labels: Classes of the images where they are known. (N,), int64; or None.
        about: One line that says what the images are.
    """

    x: Tensor
    names: list[str]
    cond: Tensor | None
    labels: Tensor | None
    about: str

    def only(self, numbers: slice) -> "Asked":
        """Some of the images."""
        return replace(
            self,
            x=self.x[numbers],
            names=self.names[numbers],
            cond=None if self.cond is None else self.cond[numbers],
            labels=None if self.labels is None else self.labels[numbers],
        )


def images_of(
    args: argparse.Namespace, model: AutoregressiveModel, *, with_condition: bool = True
) -> Asked:
    """Reads the images that were asked about.

    Args:
        args: `files`; or `split`, `config` and settings of data where there are none;
            `max_images`; `label`, `attributes` and `maps` where the question takes them.
        model: Whose levels and channels the images get.
        with_condition: Whether the model shall be told what is known of the images.

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
        x, names, labels = read_files([Path(file) for file in args.files], model)
        about = f"{len(x)} images from {args.files[0]}" + (" …" if len(args.files) > 1 else "")
        cond = labels if model.condition.kind == "labels" else None
        asked = Asked(x, names, cond, labels, about)
    else:
        asked = from_split(args, model)
    if args.max_images is not None:
        asked = asked.only(slice(args.max_images))
    return replace(asked, cond=condition_of(args, model, asked) if with_condition else None)


def condition_of(
    args: argparse.Namespace, model: AutoregressiveModel, asked: Asked
) -> Tensor | None:
    """What was typed, else what the images come with, else nothing where the model allows it."""
    if asked.cond is not None and not is_typed(args):
        return asked.cond
    return typed_condition(args, model, len(asked.x))


def is_typed(args: argparse.Namespace) -> bool:
    """Whether labels, attributes or maps were typed."""
    return bool(args.label or args.attributes or args.maps)


def typed_condition(
    args: argparse.Namespace, model: AutoregressiveModel, count: int
) -> Tensor | None:
    """Labels, attributes or maps that were typed for so many images. (N, …), or None.

    Raises:
        ConfigError: If nothing was typed and the model must be told, or if it cannot be told that.
    """
    condition = model.condition
    if is_typed(args):
        wish = Wish(
            count,
            labels=[label.strip() for each in args.label for label in each.split(",")],
            attributes=args.attributes,
            maps=None if args.maps is None else Path(args.maps),
        )
        return choose_condition(model, wish)[0]
    if condition.is_none or condition.is_optional:
        return None
    how = {"labels": "--label NAME", "attributes": "--attributes LIST", "maps": "--maps FILE"}
    raise ConfigError(
        f"This model is conditioned on {condition.describe()}, and nothing says those of the "
        f"images. Add `{how[str(condition.kind)]}`."
    )


def from_split(args: argparse.Namespace, model: AutoregressiveModel) -> Asked:
    """A split of the data of the run, or of those that settings name."""
    config = settings_of(args)
    data: DataSplits = load_images(config)
    split = config.evaluation.split
    images = getattr(data, split)
    check_fit(model, images)
    check_condition(model.condition, images.conditions)
    count = len(images) if args.max_images is None else min(len(images), args.max_images)
    numbers = torch.arange(count)
    taken = images.take(numbers)
    x = next(iter(taken.read([numbers]))).long()
    if taken.redraws:
        raise ConfigError(
            "These images are drawn anew in every epoch. Ask about --split val or test."
        )
    names = [f"{split}-{number}" for number in range(count)]
    conditions = taken.conditions
    return Asked(x, names, conditions.of(model.condition.kind), conditions.labels, data.protocol)


def read_files(
    files: Sequence[Path], model: AutoregressiveModel
) -> tuple[Tensor, list[str], Tensor | None]:
    """Images of files, folders and NumPy files of levels, in the levels of the model.

    Image files are scaled and cropped to the size of the model, where it has one and they have
    another. Levels in a NumPy file are taken as they are.

    Returns:
        Levels (N, C, H, W), names, and labels (N,) where a single NumPy file holds them.

    Raises:
        DataError: If a file is missing or broken, or images do not fit together.
    """
    if len(files) == 1 and files[0].suffix.lower() in ARRAYS:
        return read_levels(files[0], model)
    paths = [path for file in files for path in image_files(file)]
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
    return requantise(x, LEVELS, to=model.num_classes), [str(path) for path in paths], None


def image_files(file: Path) -> list[Path]:
    """A file itself, or the images of a folder."""
    if file.is_dir():
        return [path for path, _ in list_images(file)]
    if not file.exists():
        raise DataError(f"There is no `{file}`. Name image files, folders, or one .npz of levels.")
    if file.suffix.lower() in ARRAYS:
        raise DataError(f"`{file}` must be named alone: levels and image files do not mix.")
    if file.suffix.lower() not in SUFFIXES:
        raise DataError(f"`{file}` must end in one of {', '.join(sorted(SUFFIXES))}.")
    return [file]


def channels_of(model: AutoregressiveModel) -> int:
    """1 or 3, as image files have."""
    if model.in_channels not in (1, 3):
        raise DataError(
            f"Image files have 1 or 3 channels, and the model has {model.in_channels}: name an "
            f".npz of levels."
        )
    return model.in_channels


def read_levels(path: Path, model: AutoregressiveModel) -> tuple[Tensor, list[str], Tensor | None]:
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
    labels = None
    if "labels" in arrays and model.num_labels is not None:
        labels = to_labels(
            arrays["labels"],
            model.num_labels,
            count=len(x),
            where=f"`labels` of {path}",
            source="as the model has them",
        )
    return x, [f"{path.stem}-{number}" for number in range(len(x))], labels
