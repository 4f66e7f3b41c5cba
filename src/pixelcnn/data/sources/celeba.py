"""CelebA: faces with 40 binary attributes, listed by torchvision and decoded when needed."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from pixelcnn.data.files.decoding import LEVELS, DecodingOptions, decode
from pixelcnn.data.files.packed_paths import PackedPaths
from pixelcnn.data.image_sets import Source
from pixelcnn.data.streaming import FileImageSet, Files
from pixelcnn.errors import DataError, importing
from pixelcnn.spec import ImageSpec

SIDE = 148  # of the square around the face
NUM_IMAGES = 202_599
IMAGES, PARTITION = "img_align_celeba", "list_eval_partition.txt"
SPLITS = ("train", "valid", "test")  # by their numbers in the partition
URL = "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"


def read_celeba(root: Path) -> Source:
    """Reads CelebA with its own split: 162,770, 19,867 and 19,962 RGB faces, 40 attributes each.

    Of each aligned image, 178 wide and 218 high, the central 148×148 pixels are used, as is usual
    for density models. Images stay in their files.

    Args:
        root: Folder with a folder `celeba` in the layout of torchvision: the images in
            `img_align_celeba`, and the published lists beside it. A part of the images suffices
            if the lists name no others.

    Raises:
        DataError: If a list or an image is missing, or a list is damaged.

    References:
        Deep Learning Face Attributes in the Wild (Liu et al., 2015).
        https://arxiv.org/abs/1411.7766
        Density estimation using Real NVP (Dinh et al., 2016), section 4.1, for the crop.
        https://arxiv.org/abs/1605.08803
    """
    folder = root / "celeba"
    names, attributes, attribute_names = _read_lists(root)
    _check_images(folder / IMAGES, names)
    numbers = _read_partition(folder / PARTITION, names)
    faces = FileImageSet(
        Files(PackedPaths.of(folder / IMAGES, names), decode_face),
        attributes=attributes,
        spec=ImageSpec(3, SIDE, SIDE, LEVELS),
    )
    train, val, test = (
        faces.take((numbers == number).nonzero()[:, 0]) for number in range(len(SPLITS))
    )
    notes = [f"central {SIDE}×{SIDE} pixels"]
    if len(names) != NUM_IMAGES:
        # Metrics on a part of the images are not comparable with published ones.
        notes.append(f"only {len(names):,} of the {NUM_IMAGES:,} images")
    return Source("celeba", train, val, test, notes=tuple(notes), attribute_names=attribute_names)


def decode_face(path: Path) -> Tensor:
    """The central 148×148 pixels of one image. Shape: (3, 148, 148), uint8."""
    x = decode(path, DecodingOptions(3)).to(torch.uint8)
    height, width = x.shape[1:]
    if min(height, width) < SIDE:
        raise DataError(
            f"{path} must have at least {SIDE}×{SIDE} pixels, got {height}×{width}. Fetch the "
            f"aligned images of CelebA (218×178) anew."
        )
    top, left = (height - SIDE) // 2, (width - SIDE) // 2
    return x[:, top : top + SIDE, left : left + SIDE]


def _read_lists(root: Path) -> tuple[list[str], Tensor, tuple[str, ...]]:
    """Names of the image files, their attributes (N, A) as zeros and ones, and names of these."""
    with importing("train"):
        from torchvision.datasets import CelebA  # type: ignore[import-untyped]

    class Listed(CelebA):
        # Without their MD5s, which only the lists of all images have, so that a part of the images
        # with its own lists can be read. The lists are checked below instead.
        file_list = tuple((None, None, name) for _, _, name in CelebA.file_list)

    folder = root / CelebA.base_folder
    lists = [name for _, _, name in CelebA.file_list if name.endswith(".txt")]
    missing = [name for name in lists if not (folder / name).is_file()]
    missing += [] if (folder / IMAGES).is_dir() else [f"{IMAGES}/"]
    if missing:
        raise DataError(
            f"CelebA is not whole in {folder}: {', '.join(missing)} missing. Fetch the lists and "
            f"img_align_celeba.zip (1.4 GB) from {URL}, unpack the images there, or name the "
            f"folder that holds `{CelebA.base_folder}` with `data_root`."
        )
    try:
        found = Listed(root, split="all", target_type="attr")
    except (ValueError, IndexError, UnicodeDecodeError) as error:  # errors of its parser
        raise DataError(
            f"A list of CelebA in {folder} is damaged ({error}). Fetch {', '.join(lists)} anew."
        ) from error
    # The published header ends in a blank, which torchvision reads as one more name.
    names = tuple(name for name in found.attr_names if name)
    if found.attr.shape != (len(found.filename), len(names)):
        raise DataError(
            f"The lists of CelebA in {folder} must name the same images: {PARTITION} has "
            f"{len(found.filename):,}, list_attr_celeba.txt {len(names)} attributes of "
            f"{len(found.attr):,} images. Fetch both anew."
        )
    return list(found.filename), found.attr.float(), names


def _check_images(folder: Path, names: Sequence[str]) -> None:
    # One listing: a system call for each of 200,000 files takes much longer.
    present = {path.name for path in folder.iterdir()}
    missing = [name for name in names if name not in present]
    if missing:
        raise DataError(
            f"{folder} lacks {len(missing):,} of the {len(names):,} images that {PARTITION} names, "
            f"such as {missing[0]}. Unpack img_align_celeba.zip there, or shorten all lists."
        )


def _read_partition(path: Path, names: Sequence[str]) -> Tensor:
    """The number of each image's split. Shape: (N,)."""
    rows = dict(line.split() for line in path.read_text().splitlines() if len(line.split()) == 2)
    numbers = [rows.get(name) for name in names]
    allowed = [str(number) for number in range(len(SPLITS))]
    for name, number in zip(names, numbers, strict=True):
        if number not in allowed:
            raise DataError(
                f"{path} must give each image a split from {', '.join(allowed)}, got {number} for "
                f"{name}. Fetch it anew."
            )
    for number, split in zip(allowed, SPLITS, strict=True):
        if number not in numbers:
            raise DataError(
                f"{path} names no image of the {split} split ({number}). Fetch it anew."
            )
    return torch.tensor([int(number or 0) for number in numbers])
