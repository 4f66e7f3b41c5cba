"""Images from files that were named: image files, folders, or levels in a NumPy file."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from pixelcnn.cli.outputs.console import counted
from pixelcnn.data.files.decoding import (
    LEVELS,
    SUFFIXES,
    DecodingOptions,
    read_image_header,
    read_pixels,
    to_levels,
)
from pixelcnn.data.files.depth import check_in_use
from pixelcnn.data.files.listing import list_images
from pixelcnn.data.sources.arrays.array_conditions import to_labels
from pixelcnn.data.sources.arrays.array_levels import stated_levels
from pixelcnn.data.sources.arrays.arrays import load_arrays, to_images
from pixelcnn.data.transforms import resize
from pixelcnn.errors import DataError
from pixelcnn.models import AutoregressiveModel
from pixelcnn.spec import MAX_LEVELS, requantise

ARRAYS = (".npz", ".npy")


@dataclass(frozen=True)
class QueryImages:
    """The images of a query.

    Attributes:
        x: Levels of the model. (N, C, H, W), int64.
        names: The file of each image, or its number.
        cond: Condition of each, (N, …); None for none.
        labels: Classes of the images if they are known. (N,), int64; or None.
        about: Description of the images in one line.
        foreign: Why the labels of the images are not those of the model; None if they are.
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


def read_files(
    files: Sequence[Path],
    model: AutoregressiveModel,
    *,
    bits: int | None = None,
    categorical: bool = False,
) -> QueryImages:
    """Images of files, folders and NumPy files of levels, in the levels of the model.

    Image files are scaled and cropped to the size of the model, where it has one and they have
    another. Levels in a NumPy file are used as they are.

    Args:
        files: As they were typed.
        model: Its levels, channels and size.
        bits: As `data.bits`, of image files.
        categorical: As `data.categorical`, of image files.

    Returns:
        The images, with labels if a single NumPy file holds them, or if all images lie in
        sub-folders with names of labels of the model.

    Raises:
        DataError: If a file is missing or broken, or images do not fit together.
    """
    if len(files) == 1 and files[0].suffix.lower() in ARRAYS:
        return read_levels(files[0], model)
    listed = [pair for file in files for pair in image_files(file)]
    paths = [path for path, _ in listed]
    form = DecodingOptions(channels_of(model), bits, categorical=categorical)
    pixels = _levels_of_files(paths, form)
    height, width = pixels[0].shape[1:]
    size = model.image_size or (height, width)
    if model.image_size is None:
        for path, each in zip(paths, pixels, strict=True):
            if tuple(each.shape[1:]) != size:
                raise DataError(
                    f"All images must have the same size: {paths[0]} has {size[0]}×{size[1]} "
                    f"pixels, {path} has {each.shape[1]}×{each.shape[2]}."
                )
    scaled = [
        resize(each[None], levels=form.levels, size=size, nearest=categorical) for each in pixels
    ]
    x = torch.cat(scaled)
    if not categorical:
        x = requantise(x, form.levels, to=model.num_classes)
    check_file_levels(x, model, files[0])
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


def _levels_of_files(paths: Sequence[Path], form: DecodingOptions) -> list[Tensor]:
    """The levels of image files, each in its own size. (C, h, w).

    Raises:
        DataError: If one is broken or has several pages, or files of more than 8 bits use few of
            them and `form.bits` is not stated.
    """
    for path in paths:
        pages = read_image_header(path).pages
        if pages > 1:
            raise DataError(f"{path} must be a single image, got {pages} pages. Save one page.")
    found = [read_pixels(path, form) for path in paths]
    wide = [int(pixels.x.max()) for pixels in found if pixels.levels > LEVELS]
    if wide and form.bits is None:
        check_in_use(max(wide), MAX_LEVELS, f"{paths[0]}{' …' if len(paths) > 1 else ''}")
    return [to_levels(pixels, form, str(path)) for pixels, path in zip(found, paths, strict=True)]


def labels_of(classes: Sequence[str | None], model: AutoregressiveModel) -> Tensor | None:
    """The labels of classes of images, (N,); None unless the model has all of them."""
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
        raise DataError(
            f"`{file}` does not exist. Name image files, folders, or one .npz of levels."
        )
    if file.suffix.lower() in ARRAYS:
        raise DataError(
            f"`{file}` holds levels and must be the only FILE. Leave out the others, or score them "
            f"apart."
        )
    if file.suffix.lower() not in SUFFIXES:
        raise DataError(
            f"FILE must end in one of {', '.join(sorted(SUFFIXES))}, or be an .npz of levels, got "
            f"`{file}`."
        )
    return [(file, None)]


def channels_of(model: AutoregressiveModel) -> int:
    """1 or 3, as image files have."""
    if model.in_channels not in (1, 3):
        raise DataError(
            f"Image files need a model of 1 or 3 channels, got one of {model.in_channels}. Name an "
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
            f"{path} must hold images of {model.num_classes} levels like the model, got {levels}. "
            f"Sample or quantise them with as many."
        )
    check_file_levels(x, model, path)
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


def check_file_levels(x: Tensor, model: AutoregressiveModel, path: Path) -> None:
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
