"""Masks of known pixels: by name, by rectangle, or from an image file."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pixelcnn.arguments import check_tensor, image_shape, named_arguments, seed_number
from pixelcnn.errors import ConfigError, DataError, ShapeError

SIDES = ("bottom", "top", "left", "right", "center")
RECTANGLE = re.compile(r"(\d*):(\d*),(\d*):(\d*)")
DEFAULT_SHARE = 0.5


@named_arguments
def known_mask(
    missing: str | os.PathLike[str], shape: tuple[int, int, int], *, seed: int = 0, number: int = 0
) -> Tensor:
    """A mask of the known sub-pixels of an image, from a name of the unknown ones.

    Args:
        missing: The unknown pixels, one of

            * `bottom`, `top`, `left`, `right`: that half; `bottom:0.25` that share of the rows;
            * `center`: half of the rows and half of the columns; `center:0.25` a quarter of each;
            * `random`: half of the pixels; `random:0.9` that share of them;
            * `all` or `none`;
            * a rectangle `rows,columns` such as `4:20,8:16`, ends left out, as Python slices;
            * an image file of the size of the image: white pixels are unknown.
        shape: (C, H, W). All channels of a pixel are known, or none.
        seed: From 0 to 2**64 - 1. With `number` and the shape, decides the pixels of `random`.
        number: Number of the image, so that each of a batch can have its own. From 0 to 2**64 - 1.

    Returns:
        True where known. (C, H, W), bool, on the CPU.

    Raises:
        ConfigError: If `missing` is none of these, or a share, a rectangle, `seed` or `number` is
            out of range.
        ShapeError: If `shape` is none.
        DataError: If the file is no image, or not as large.

    Example:
        >>> known_mask("bottom", (1, 3, 2)).int()
        tensor([[[1, 1],
                 [0, 0],
                 [0, 0]]], dtype=torch.int32)
        >>> known_mask("0:2,1:", (1, 3, 2)).int()
        tensor([[[1, 0],
                 [1, 0],
                 [1, 1]]], dtype=torch.int32)
    """
    channels, height, width = image_shape(shape)
    seed, number = seed_number(seed), seed_number(number, "number")
    word = str(missing)
    name, _, share = word.partition(":")
    absent = torch.zeros(height, width, dtype=torch.bool)
    if word in ("all", "none"):
        absent[:] = word == "all"
    elif name == "random":
        absent = _scattered(_share(word, share), height, width, seed, number)
    elif name in SIDES:
        rows, columns = _side(name, _share(word, share), height, width)
        absent[rows, columns] = True
    elif found := RECTANGLE.fullmatch(word):
        rows, columns = _rectangle(word, found, height, width)
        absent[rows, columns] = True
    else:
        absent = _white(missing, height, width)
    return ~absent.expand(channels, -1, -1)


def known_masks(
    missing: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    shape: tuple[int, int, int, int],
    *,
    seed: int = 0,
) -> Tensor:
    """`known_mask` of each image of a batch.

    Args:
        missing: One for all images, or one for each. `random` differs between images, also where
            they share it.
        shape: (B, C, H, W).
        seed: As in `known_mask`.

    Returns:
        True where known. (B, C, H, W), bool, on the CPU.

    Raises:
        ConfigError: If there is neither one for all nor one for each, or as in `known_mask`.
        ShapeError: If `shape` is none.
        DataError: As in `known_mask`.

    Example:
        >>> known_masks(["top", "none"], (2, 1, 2, 1)).int().flatten(1)
        tensor([[0, 1],
                [1, 1]], dtype=torch.int32)
    """
    batch, channels, height, width = image_shape(shape, "B, C, H, W")
    if isinstance(missing, str) or not isinstance(missing, Sequence):
        missing = [missing] * batch
    words = list(missing)
    if len(words) != batch:
        raise ConfigError(
            f"`missing` must be one mask for all images or one for each of {batch}, "
            f"got {len(words)}."
        )
    return torch.stack(
        [
            known_mask(word, (channels, height, width), seed=seed, number=n)
            for n, word in enumerate(words)
        ]
    )


def fit_mask(known: Tensor, x: Tensor) -> Tensor:
    """A mask expanded to one bool for each sub-pixel of each image.

    Args:
        known: (H, W), (C, H, W) or (B, C, H, W), bool.
        x: Images. (B, C, H, W).

    Returns:
        (B, C, H, W), on the device of `x`.

    Raises:
        ShapeError: If `known` is of another shape or dtype.
    """
    check_tensor(
        "known",
        known,
        "booleans, True where a sub-pixel is known",
        otherwise='`pixelcnn.known_mask("bottom", (C, H, W))` makes one.',
    )
    if known.dtype != torch.bool:
        raise ShapeError(
            f"`known` must hold booleans, True where a sub-pixel is known, got dtype "
            f"{known.dtype}. Use `known.bool()`."
        )
    fits = [tuple(x.shape[first:]) for first in (2, 1, 0)]
    if tuple(known.shape) not in fits:
        raise ShapeError(
            f"`known` must have the shape of the images: one of {', '.join(map(str, fits))}, "
            f"got {tuple(known.shape)}."
        )
    return known.to(x.device).expand(x.shape)


def is_prefix(known: Tensor) -> Tensor:
    """Whether everything known comes before everything unknown, in raster order.

    Args:
        known: (B, C, H, W), bool.

    Returns:
        (B,), bool. True also where all or nothing is known.

    Example:
        >>> is_prefix(known_masks(["bottom", "top"], (2, 1, 4, 4)))
        tensor([ True, False])
    """
    in_order = known.permute(0, 2, 3, 1).flatten(1)
    return (in_order[:, 1:] <= in_order[:, :-1]).all(1)


def _share(word: str, share: str) -> float:
    try:
        value = float(share) if ":" in word else DEFAULT_SHARE
    except ValueError:
        value = -1.0
    if not 0 < value <= 1:
        raise ConfigError(
            f"The share in `{word}` must be above 0 and at most 1, got `{share}`. Where nothing is "
            f"missing, write none."
        )
    return value


def _side(name: str, share: float, height: int, width: int) -> tuple[slice, slice]:
    # Halves are rounded up, so that a share above zero of an odd number is not the smaller part.
    rows, columns = int(height * share + 0.5), int(width * share + 0.5)
    everything = slice(None)
    above, left = (height - rows) // 2, (width - columns) // 2
    return {
        "bottom": (slice(height - rows, height), everything),
        "top": (slice(0, rows), everything),
        "left": (everything, slice(0, columns)),
        "right": (everything, slice(width - columns, width)),
        "center": (slice(above, above + rows), slice(left, left + columns)),
    }[name]


def _rectangle(word: str, found: re.Match[str], height: int, width: int) -> tuple[slice, slice]:
    top, bottom, left, right = found.groups()
    rows = slice(int(top or 0), int(bottom or height))
    columns = slice(int(left or 0), int(right or width))
    for name, part, size in (("rows", rows, height), ("columns", columns, width)):
        if not part.start < part.stop <= size:
            raise ConfigError(
                f"The {name} of the rectangle `{word}` must be `first:end` with first < end, and "
                f"end at most {size}."
            )
    return rows, columns


def _scattered(share: float, height: int, width: int, seed: int, number: int) -> Tensor:
    key = np.array([seed, number], dtype=np.uint64)
    order = np.random.Generator(np.random.Philox(key=key)).permutation(height * width)
    count = int(share * height * width + 0.5)
    return torch.from_numpy(order < count).view(height, width)


def _white(missing: object, height: int, width: int) -> Tensor:
    path = Path(missing) if isinstance(missing, str | os.PathLike) and str(missing) else None
    if path is None or not path.exists() or path.is_dir():
        reason = "this is a folder" if path and path.is_dir() else "there is no such file"
        raise ConfigError(
            f"`{missing}` is no mask: {reason}, and the names are "
            f"{', '.join(SIDES)}, random, all and none, with a share as in `bottom:0.25`, or a "
            f"rectangle `rows,columns` such as `4:20,8:16`."
        )
    try:
        with Image.open(path) as image:
            size, is_transparent = (image.height, image.width), image.has_transparency_data
            grey = np.asarray(image.convert("L")) if size == (height, width) else None
    except Exception as error:  # decoders raise errors of many types
        raise DataError(f"The mask `{path}` cannot be read as an image: {error}.") from error
    if grey is None:
        raise DataError(
            f"The mask `{path}` must have {height} rows and {width} columns like the images, got "
            f"{size[0]} and {size[1]}."
        )
    if grey.min() >= 128 or grey.max() < 128:
        remedy = " Its transparency is not read: paint the unknown pixels white."
        raise DataError(
            f"The mask `{path}` must have unknown pixels (white, at least 128 of 255) and known "
            f"ones (black), got values from {grey.min()} to {grey.max()}."
            f"{remedy if is_transparent else ' Multiply a mask of 0 and 1 by 255.'}"
        )
    return torch.from_numpy(grey >= 128)
