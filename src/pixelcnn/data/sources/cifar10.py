"""CIFAR-10, through torchvision or from one .npz file."""

import warnings
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path

import numpy as np
import torch

from pixelcnn.data.data_warnings import warn_about_data
from pixelcnn.data.image_sets import Source, TensorImageSet
from pixelcnn.data.sources.arrays.arrays import load_arrays, source_from_arrays
from pixelcnn.errors import DataError, importing
from pixelcnn.locks import exclusive_lock

LEVELS = 256
NUM_TEST = 10_000
NAMES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)


def read_cifar10(root: Path) -> Source:
    """Reads CIFAR-10: 32×32 RGB, 10 classes.

    Args:
        root: Folder with `cifar-10-batches-py` as torchvision keeps it, or with `cifar10.npz`
            (`x_train`, `y_train`, `x_test`, `y_test`); filled from the network if it has neither.

    Raises:
        DataError: If the set is missing and cannot be fetched, or is damaged.
    """
    path = root / "cifar10.npz"
    if path.is_file() and not (root / "cifar-10-batches-py").is_dir():
        return _read_npz(path)
    with _lock_if_missing(root):
        _check_whole(root)
        train, test = (_open(root, train=train) for train in (True, False))
    return Source("cifar10", train, test=test, label_names=NAMES)


def _read_npz(path: Path) -> Source:
    arrays = load_arrays(path)
    if not {"x_train", "y_train", "x_test", "y_test"} <= set(arrays):
        raise DataError(
            f"{path} must hold `x_train`, `y_train`, `x_test` and `y_test`, got "
            f"{', '.join(sorted(arrays)) or 'nothing'}."
        )
    found = source_from_arrays("cifar10", {**arrays, "label_names": np.array(NAMES)}, path=path)
    if found.train.spec.shape != (3, 32, 32):
        raise DataError(
            f"{path} must hold images of 3 channels, 32×32, got {found.train.spec.shape}."
        )
    assert found.test is not None
    num_test = len(found.test)
    # Metrics on a part of the test set are not comparable with published ones.
    note = f"only {num_test:,} of the {NUM_TEST:,} test images"
    notes = () if num_test == NUM_TEST else (note,)
    return Source("cifar10", found.train, found.val, found.test, found.label_names, notes)


def _files(root: Path) -> list[tuple[Path, str]]:
    """Paths and MD5s of the published files."""
    with importing("train"):
        from torchvision.datasets import CIFAR10  # type: ignore[import-untyped]

    folder = root / CIFAR10.base_folder
    return [(folder / name, md5) for name, md5 in (*CIFAR10.train_list, *CIFAR10.test_list)]


def _lock_if_missing(root: Path) -> AbstractContextManager[None]:
    """Locks the folder while the set is missing, so that one process at a time fetches it."""
    lock = root / ".cifar10.lock"
    # In this order: if all files are there, and then no lock, the files are whole.
    if all(path.is_file() for path, _ in _files(root)) and not lock.exists():
        return nullcontext()
    with suppress(OSError):  # torchvision reports it
        root.mkdir(parents=True, exist_ok=True)
    line = f"Another process is fetching CIFAR-10 into {root}: waiting for it."
    return exclusive_lock(lock, on_wait=lambda: warn_about_data(line))


def _check_whole(root: Path) -> None:
    """Raises `DataError` if an existing file differs from the published one."""
    with importing("train"):
        from torchvision.datasets.utils import check_integrity  # type: ignore[import-untyped]

    for path, md5 in _files(root):
        if path.is_file() and not check_integrity(path, md5):
            raise DataError(
                f"{path} is damaged: its MD5 is not {md5}. Delete it and run again to fetch it "
                f"anew."
            )


def _open(root: Path, *, train: bool) -> TensorImageSet:
    with importing("train"):
        from torchvision.datasets import CIFAR10

    try:
        with warnings.catch_warnings():
            # The published files are pickles of an old NumPy. torchvision opens them only
            # after checking their MD5s.
            warnings.simplefilter("ignore")
            found = CIFAR10(root, train=train, download=True)
    except (OSError, RuntimeError, EOFError) as error:
        raise DataError(
            f"CIFAR-10 is not in {root} and could not be fetched ({error}). Put there the folder "
            f"`{CIFAR10.base_folder}`, unpacked from {CIFAR10.url}, or a `cifar10.npz`, or name "
            f"the folder that holds one of them with `data_root`."
        ) from error
    images = torch.from_numpy(found.data).permute(0, 3, 1, 2).contiguous()
    return TensorImageSet(images, torch.tensor(found.targets), levels=LEVELS)
