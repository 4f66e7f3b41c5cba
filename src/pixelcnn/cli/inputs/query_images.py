"""The images of a query: files that were named, or a split of the data of the run."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from pixelcnn.cli.commands.evaluate import evaluation_settings
from pixelcnn.cli.inputs.conditions import is_typed, typed_condition
from pixelcnn.cli.inputs.image_files import QueryImages, read_files
from pixelcnn.config import DataConfig, load_config
from pixelcnn.config.images import load_images
from pixelcnn.data import ImageSet
from pixelcnn.errors import ConfigError
from pixelcnn.evaluation import check_image_conditions, check_spec, labels_by_name
from pixelcnn.models import AutoregressiveModel
from pixelcnn.runs import find_model
from pixelcnn.runs.folder import config_of


def query_images(
    args: argparse.Namespace,
    model: AutoregressiveModel,
    *,
    with_condition: bool = True,
    sums_labels: bool = False,
) -> QueryImages:
    """Reads the images of a query.

    Args:
        args: `files`; or `split`, `config` and settings of data where there are none;
            `max_images`; `label`, `attributes` and `maps` if the command takes them.
        model: Whose levels and channels the images get.
        with_condition: Whether to condition the model on the labels, attributes or maps.
        sums_labels: Whether the command can sum over all labels if those of the images are not
            the model's.

    Raises:
        ConfigError: If the model needs a condition that is missing, or settings do not fit.
        DataError: If a file cannot be read, or the sizes differ.
    """
    if args.files:
        if args.split or args.config or not sets_reading_alone(args.settings):
            raise ConfigError(
                "The images must be files or a split of a data set, got both. Leave out "
                f"`{args.files[0]}`, or --split, --config and --data.… but bits and categorical."
            )
        images = read_typed_files(args, args.files, model)
    else:
        images = from_split(args, model, with_condition=with_condition)
    if args.max_images is not None and args.max_images < len(images.x):
        count = "" if args.max_images == 1 else f"{args.max_images:,} "
        about = f"the first {count}of {images.about}"
        images = replace(images.only(slice(args.max_images)), about=about)
    if not with_condition or (sums_labels and images.foreign and not is_typed(args)):
        return replace(images, cond=None)
    return replace(images, cond=condition_of(args, model, images))


def sets_reading_alone(settings: Sequence[str]) -> bool:
    """Whether settings only say how image files are read.

    Example:
        >>> sets_reading_alone(["--data.bits=12"]), sets_reading_alone(["--data.levels=2"])
        (True, False)
    """
    names = {word.partition("=")[0] for word in settings if word.startswith("--")}
    return names <= {"--data.bits", "--data.categorical"}


def read_typed_files(
    args: argparse.Namespace, files: Sequence[str], model: AutoregressiveModel
) -> QueryImages:
    """Images of files, read as those that the model was trained on."""
    try:
        data = config_of(find_model(args.run)).data
    except ConfigError:  # a lone file, which names no images
        data = DataConfig()
    if args.settings:
        typed = load_config(None, args.settings).data
        bits = data.bits if typed.bits is None else typed.bits
        is_code = data.categorical if typed.categorical is None else typed.categorical
        data = replace(data, bits=bits, categorical=is_code)
    categorical = bool(data.categorical)
    return read_files(
        [Path(file) for file in files], model, bits=data.bits, categorical=categorical
    )


def condition_of(
    args: argparse.Namespace, model: AutoregressiveModel, images: QueryImages
) -> Tensor | None:
    """The typed conditions, else those of the images, else none if the model allows that."""
    if images.cond is not None and not is_typed(args):
        return images.cond
    if images.foreign and not (is_typed(args) or model.condition.is_optional):
        raise ConfigError(
            f"The model must be conditioned on a label, but {images.foreign}. Choose one of its "
            f"own by `--label NAME`."
        )
    cond = typed_condition(args, model, len(images.x))
    if cond is not None and model.condition.kind == "maps" and cond.shape[2:] != images.x.shape[2:]:
        (height, width), (wanted, across) = cond.shape[2:], images.x.shape[2:]
        raise ConfigError(
            f"`--maps` must be as large as the images, {wanted}×{across} pixels, got "
            f"{height}×{width} in {args.maps}."
        )
    return cond


def split_of(
    args: argparse.Namespace, model: AutoregressiveModel, *, with_condition: bool = True
) -> tuple[ImageSet, str, str, str | None]:
    """The split of the query, of the data of the run or of those that settings name.

    Returns:
        Its images; its name; their description in one line; and `foreign` as in `QueryImages`.
    """
    config = evaluation_settings(args)
    data, foreign = labels_by_name(model.condition, load_images(config))
    name = config.evaluation.split
    images: ImageSet = getattr(data, name)
    check_spec(model, images.spec)
    if foreign is None and model.num_labels is not None and images.labels is None:
        foreign = f"not all of the {name} images have a label"
    if with_condition and foreign is None:
        check_image_conditions(model.condition, images.conditions)
    about, count = data.protocol, args.max_images
    if count is not None and count < len(images):
        first = "first" if count == 1 else f"first {count:,}"
        about += f", the {first} of {len(images):,} {name} images"
        images = images.take(torch.arange(count))
    return images, name, about, foreign


def from_split(
    args: argparse.Namespace, model: AutoregressiveModel, *, with_condition: bool
) -> QueryImages:
    """All images of a split."""
    images, split, about, foreign = split_of(args, model, with_condition=with_condition)
    if images.is_dynamic:
        raise ConfigError(
            "The images must be the same in every epoch, and those of this split are sampled "
            "anew. Use --split val or test."
        )
    x = next(iter(images.read([torch.arange(len(images))]))).long()
    names = [f"{split}-{number}" for number in range(len(x))]
    cond = images.conditions.of(model.condition.kind)
    return QueryImages(x, names, cond, images.labels, about, foreign)
