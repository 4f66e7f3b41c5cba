"""MNIST and Fashion-MNIST, from files in the layout of torchvision.

The files are read as published, without unpacking them on the disk, so a read-only folder suffices
and no partly unpacked file is ever read.
"""

import gzip
import hashlib
import tempfile
from pathlib import Path

import torch
from torch import Tensor

from pixelcnn.data.image_sets import Source, TensorImageSet
from pixelcnn.errors import DataError, importing

LEVELS = 256


def read_mnist(root: Path) -> Source:
    """Reads MNIST from `root`/MNIST/raw, which is downloaded if missing."""
    return _read(root, "MNIST", name="mnist", label_names=tuple("0123456789"))


def read_fashion_mnist(root: Path) -> Source:
    """Reads Fashion-MNIST from `root`/FashionMNIST/raw, which is downloaded if missing."""
    with importing("train"):
        from torchvision.datasets import FashionMNIST  # type: ignore[import-untyped]

    return _read(
        root, "FashionMNIST", name="fashion_mnist", label_names=tuple(FashionMNIST.classes)
    )


def _read(root: Path, folder: str, *, name: str, label_names: tuple[str, ...]) -> Source:
    parts = {
        prefix: TensorImageSet(
            parse_idx(*_content(root, folder, f"{prefix}-images-idx3-ubyte"))[:, None],
            _labels(*_content(root, folder, f"{prefix}-labels-idx1-ubyte"), len(label_names)),
            levels=LEVELS,
        )
        for prefix in ("train", "t10k")
    }
    return Source(name, parts["train"], test=parts["t10k"], label_names=label_names)


def _labels(content: bytes, path: Path, count: int) -> Tensor:
    """Labels, each below the number of classes."""
    labels = parse_idx(content, path)
    if len(labels) and int(labels.max()) >= count:
        raise DataError(
            f"{path} must hold labels from 0 to {count - 1}, got {int(labels.max())}. Delete it "
            f"and run again to fetch it anew."
        )
    return labels


def parse_idx(content: bytes, path: Path) -> Tensor:
    """Reads the IDX format of bytes.

    Args:
        content: Two zero bytes, the type 8, the number of axes, their lengths as big-endian
            32-bit integers, then the values.
        path: The name of the file in messages.

    Returns:
        The array, uint8.

    Raises:
        DataError: If the content has another format or length.

    References:
        https://yann.lecun.com/exdb/mnist (section "File formats")

    Example:
        >>> parse_idx(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]), Path("labels"))
        tensor([7, 9], dtype=torch.uint8)
    """
    num_axes = content[3] if content[:3] == b"\0\0\x08" and len(content) > 3 else 0
    start = 4 + 4 * num_axes
    shape = [int.from_bytes(content[at : at + 4], "big") for at in range(4, start, 4)]
    if not num_axes or len(content) - start != torch.Size(shape).numel():
        raise DataError(
            f"{path} is not a whole IDX file of bytes ({len(content):,} bytes). Delete it and run "
            f"again to fetch it anew."
        )
    if len(content) == start:
        return torch.empty(shape, dtype=torch.uint8)
    return torch.frombuffer(bytearray(content), dtype=torch.uint8, offset=start).reshape(shape)


def _content(root: Path, folder: str, stem: str) -> tuple[bytes, Path]:
    """The unpacked bytes of one file, and the path they came from."""
    with importing("train"):
        import torchvision  # type: ignore[import-untyped]

    published = getattr(torchvision.datasets, folder)
    md5 = dict(published.resources)[f"{stem}.gz"]
    packed = root / folder / "raw" / f"{stem}.gz"
    unpacked = packed.with_suffix("")
    if unpacked.is_file() and not packed.is_file():
        return unpacked.read_bytes(), unpacked
    if not packed.is_file():
        _download(packed, published.mirrors, md5)
    content = packed.read_bytes()
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != md5:
        raise DataError(
            f"{packed} is damaged: its MD5 is not {md5}. Delete it and run again to fetch it anew."
        )
    return gzip.decompress(content), packed


def _download(target: Path, mirrors: list[str], md5: str) -> None:
    with importing("train"):
        from torchvision.datasets.utils import download_url  # type: ignore[import-untyped]

    problems = []
    for mirror in mirrors:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            # Into a folder of its own first: a file under its final name is always complete.
            with tempfile.TemporaryDirectory(dir=target.parent, prefix=".download-") as part:
                download_url(mirror + target.name, part, md5=md5)
                (Path(part) / target.name).replace(target)
                return
        except (OSError, RuntimeError) as error:
            problems.append(f"{mirror} ({error})")
    raise DataError(
        f"{target} is missing and could not be fetched from {'; '.join(problems)}. Put the file "
        f"there by hand, or name the folder that holds {target.parent.parent.name}/raw with "
        f"`data_root`."
    )
