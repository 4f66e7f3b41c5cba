"""Images in NumPy files: their shapes, types and keys."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pixelcnn.data.image_sets import Source, TensorImageSet
from pixelcnn.data.sources.arrays import array_conditions
from pixelcnn.data.sources.arrays.array_conditions import Array
from pixelcnn.data.sources.arrays.array_levels import level_type, stored_levels
from pixelcnn.data.sources.arrays.array_parts import join_parts
from pixelcnn.data.sources.folders.shard_folder import shards_of
from pixelcnn.errors import DataError
from pixelcnn.spec import MAX_LEVELS

CHANNEL_COUNTS = (1, 3)
LAYOUTS = ("NHWC", "NCHW")
KEYS = {
    *("x_train", "x_val", "x_test"),
    *("levels", "layout", "codebook", "notes"),
    *array_conditions.KEYS,
}


def read_npz(path: Path, *, bits: int | None = None, categorical: bool | None = None) -> Source:
    """Reads an .npz file, or all of a folder as one.

    Args:
        path: The file, or a folder of files that are concatenated in the order of their names; a
            folder of shards must be complete. Keys:

            * `x_train`, optional `x_val`, `x_test`: images as `to_images` takes them.
            * `y_train`, …: class numbers from 0, one per image; -1 where it is not known.
            * `attributes_train`, …: numbers that describe each image, shape (N, A); for all
              splits or none.
            * `maps_train`, …: planes as large as the images, shape (N, A, H, W); for all splits
              or none.
            * `levels`: number of levels K of the stored images. Without it and `bits`, uint8 has
              256, uint16 has 65,536 and bool has 2, if the images use them; other integers
              need it.
            * `layout`: "NHWC" or "NCHW", needed only where the shape leaves it open.
            * `label_names`, `attribute_names`: one text per class or attribute; without them
              the numbers are the names.
            * `codebook`: what codes stand for; only says that they have no order.
            * `notes`: how the images were made; not read.
        bits: Bits that the levels use: K is 2^bits.
        categorical: Whether levels have no order, like codes and the ids of a mask: images are
            scaled to the nearest pixel. Without it: if there is a `codebook`.

    Raises:
        DataError: If the file is missing, damaged or has other keys.
    """
    arrays = load_folder(path) if path.is_dir() else load_arrays(path)
    if "" in arrays:
        raise DataError(f"{path} is an .npy file of one array. Read it as npy:{path}.")
    if categorical is None:
        categorical = "codebook" in arrays
    return source_from_arrays(
        f"npz:{path.name}", arrays, path=path, bits=bits, categorical=categorical
    )


def read_npy(path: Path, *, bits: int | None = None, categorical: bool = False) -> Source:
    """Reads an .npy file that holds one array of images, as `x_train` of `read_npz`."""
    arrays = load_arrays(path)
    if "" not in arrays:
        raise DataError(f"{path} is an .npz file of several arrays. Read it as npz:{path}.")
    found = {"x_train": arrays[""]}
    return source_from_arrays(
        f"npy:{path.name}", found, path=path, bits=bits, categorical=categorical
    )


def load_folder(path: Path) -> dict[str, Array]:
    """Reads the .npz files of a folder as one.

    Raises:
        DataError: If there is none, one cannot be read, or they do not fit together; or if they
            differ from the manifest of the folder.
    """
    # Without files in progress, whose names begin with a dot.
    files = shards_of(path, sorted(path.glob("[!.]*.npz")))
    if not files:
        raise DataError(f"There is no .npz file in {path}. For a folder of images: folder:{path}.")
    return join_parts({file: load_arrays(file) for file in files})


def load_arrays(path: Path) -> dict[str, Array]:
    """Reads all arrays of an .npz file, or the one of an .npy file under the name "".

    Raises:
        DataError: If the file is missing, damaged, or has to be unpickled.
    """
    if not path.is_file():
        raise DataError(f"There is no file {path}. Give the path of an .npz or .npy file.")
    try:
        # Opened here, since NumPy leaves a damaged file open.
        with path.open("rb") as file:
            # A pickle can run any code: files with one are refused.
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return {"": loaded}
            return {key: loaded[key] for key in loaded.files}
    except Exception as error:  # zipfile, zlib and NumPy raise errors of many types
        raise DataError(
            f"{path} cannot be read as a NumPy file of plain arrays: {error}. It may be "
            f"truncated, of another kind, or hold Python objects; write it again with np.savez."
        ) from error


def source_from_arrays(
    name: str,
    arrays: Mapping[str, Array],
    *,
    path: Path,
    bits: int | None = None,
    categorical: bool = False,
) -> Source:
    """Checks named arrays and converts them to image sets. See `read_npz` for the names."""
    unknown = sorted(set(arrays) - KEYS)
    if "x_train" not in arrays or unknown:
        raise DataError(
            f"{path} must hold `x_train` and may hold {', '.join(sorted(KEYS - {'x_train'}))}, "
            f"got {', '.join(f'`{key}`' for key in sorted(arrays)) or 'nothing'}."
        )
    layout = str(arrays["layout"]) if "layout" in arrays else None
    images = {
        split: to_images(arrays[f"x_{split}"], layout=layout, where=f"`x_{split}` of {path}")
        for split in ("train", "val", "test")
        if f"x_{split}" in arrays
    }
    levels, notes = stored_levels(arrays, path, bits)
    _check_alike(images, levels, path)
    labels = array_conditions.read_labels(arrays, images, path)
    sets = {
        split: TensorImageSet(
            x,
            **array_conditions.read_conditions(arrays, split, path, labels.of[split])._asdict(),
            levels=levels,
        )
        for split, x in images.items()
    }
    _check_lengths(sets, path)
    return Source(
        name,
        sets["train"],
        sets.get("val"),
        sets.get("test"),
        label_names=labels.names,
        notes=(*labels.notes, *notes),
        categorical=categorical,
        attribute_names=array_conditions.attribute_names(arrays, path),
    )


def to_images(array: Array, *, layout: str | None = None, where: str = "the array") -> Tensor:
    """Converts an array of images to (N, C, H, W).

    Args:
        array: Integers. Shape: (N, H, W), (N, H, W, C) or (N, C, H, W). With four axes the
            one of length 1 or 3 holds the channels; if the second and the last both have such
            a length, or neither, `layout` must say which.
        layout: "NHWC" or "NCHW".
        where: The name of the array in messages.

    Returns:
        Shape: (N, C, H, W); uint8 stays, all others become int32.

    Raises:
        DataError: If type or shape do not fit.

    Example:
        >>> to_images(np.zeros((5, 8, 9, 3), np.uint8)).shape
        torch.Size([5, 3, 8, 9])
    """
    if array.dtype.kind not in "bui":
        raise DataError(
            f"{where} must hold integer levels, got dtype {array.dtype}. Turn floats in [0, 1] "
            f"into levels with (255 * x).round().astype(numpy.uint8)."
        )
    if array.ndim not in (3, 4) or not array.size:
        raise DataError(
            f"{where} must have shape (N, H, W), (N, H, W, C) or (N, C, H, W) and no empty axis, "
            f"got {array.shape}."
        )
    if array.ndim == 3:
        array = array[:, None]
    elif _find_layout(array.shape, layout, where) == "NHWC":
        array = array.transpose(0, 3, 1, 2)
    if array.dtype not in (np.uint8, np.bool_) and (
        int(array.max()) >= MAX_LEVELS or int(array.min()) < 0
    ):
        raise DataError(
            f"{where} must hold levels from 0 to {MAX_LEVELS - 1}, got values from "
            f"{array.min()} to {array.max()}.{_remedy(array)}"
        )
    small = array.dtype in (np.uint8, np.bool_)
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.uint8 if small else np.int32))


def _remedy(array: Array) -> str:
    """How integers that are no levels can become some."""
    if array.min() >= 0:
        return " Save fewer levels."
    if array.min() == -1 and array.max() == 1 and not (array == 0).any():
        return " Save spins as (x + 1) // 2, with the key `levels`: np.savez(..., levels=2)."
    return (
        f" Subtract the least one: save x - ({array.min()}), with the key `levels`: "
        f"np.savez(..., levels={int(array.max()) - int(array.min()) + 1})."
    )


def _find_layout(shape: tuple[int, ...], layout: str | None, where: str) -> str:
    if layout is not None:
        if layout not in LAYOUTS:
            raise DataError(f"`layout` must be one of {', '.join(LAYOUTS)}, got {layout!r}.")
        return layout
    last, second = shape[3] in CHANNEL_COUNTS, shape[1] in CHANNEL_COUNTS
    if last == second:
        raise DataError(
            f"{where} has shape {shape}: its axis of channels is ambiguous. Save an "
            f".npz file with the key `layout`: 'NHWC' or 'NCHW'."
        )
    return "NHWC" if last else "NCHW"


def sample_arrays(
    x: Tensor, levels: int, notes: Mapping[str, str], kind: str | None, cond: Tensor | None
) -> dict[str, Any]:
    """The arrays of an .npz file of samples (N, C, H, W), with their condition under its kind.

    Levels are in [0, levels); `cond` is (N, …) or None; `notes` holds their settings.
    """
    arrays = {
        "x": x.numpy().astype(level_type(levels)),
        "levels": np.array(levels),
        "notes": np.array(json.dumps(dict(notes))),
    }
    return arrays if kind is None or cond is None else {**arrays, kind: cond.numpy()}


def _check_lengths(sets: Mapping[str, TensorImageSet], path: Path) -> None:
    """Raises `DataError` if attributes or maps of the splits differ in length."""
    for kind in ("attributes", "maps"):
        found = {split: part.conditions.of(kind) for split, part in sets.items()}
        lengths = {split: each.shape[1] for split, each in found.items() if each is not None}
        if len(set(lengths.values())) > 1:
            raise DataError(
                f"All {kind} of {path} must have one length A, got "
                + ", ".join(f"`{kind}_{split}` {length}" for split, length in lengths.items())
                + "."
            )


def _check_alike(images: Mapping[str, Tensor], levels: int, path: Path) -> None:
    shapes = {f"x_{split}": tuple(x.shape[1:]) for split, x in images.items()}
    if len(set(shapes.values())) > 1:
        raise DataError(
            f"All images of {path} must have one shape (C, H, W), got "
            + ", ".join(f"{key} {shape}" for key, shape in shapes.items())
            + "."
        )
    for split, x in images.items():
        if int(x.max()) >= levels:
            raise DataError(
                f"`x_{split}` of {path} must hold levels from 0 to {levels - 1}, got "
                f"{int(x.max())}. Say how many levels there are with the key `levels`."
            )
