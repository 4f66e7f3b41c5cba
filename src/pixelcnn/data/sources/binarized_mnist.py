"""The fixed binarization of MNIST by Larochelle and Murray (2011), as used in papers."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pixelcnn.data.image_sets import Source
from pixelcnn.data.sources.arrays.arrays import load_arrays, source_from_arrays
from pixelcnn.errors import DataError

SIDE = 28
COUNTS = {"train": 50_000, "val": 10_000, "test": 10_000}
FILES = {"x_train": "train", "x_val": "valid", "x_test": "test"}
URL = "http://www.cs.toronto.edu/~larocheh/public/datasets/binarized_mnist"


def read_binarized_mnist(root: Path) -> Source:
    """Reads binarized MNIST with its own split: 50,000, 10,000 and 10,000 images, no labels.

    Args:
        root: Folder with `binarized_mnist.npz` (`x_train`, `x_val`, `x_test`) or with
            `binarized_mnist_train`, `_valid` and `_test`, as .amat (text, as published) or .mat
            (MATLAB 5, key `X`); or whose sub-folder `binarized_mnist` holds one of these.

    Raises:
        DataError: If the files are missing or damaged.

    References:
        The Neural Autoregressive Distribution Estimator (Larochelle and Murray, 2011).
    """
    for folder in (root / "binarized_mnist", root):
        whole = folder / "binarized_mnist.npz"
        if whole.is_file():
            return _source(load_arrays(whole), whole)
        for suffix, read in ((".mat", _read_mat), (".amat", _read_amat)):
            paths = {key: folder / f"binarized_mnist_{part}{suffix}" for key, part in FILES.items()}
            if all(path.is_file() for path in paths.values()):
                return _source({key: read(path) for key, path in paths.items()}, folder)
    raise DataError(
        f"Binarized MNIST is not in {root / 'binarized_mnist'}. Fetch binarized_mnist_train.amat, "
        f"_valid.amat and _test.amat from {URL} and put them there, or name another folder with "
        f"`data_root`."
    )


def _source(arrays: dict[str, NDArray[np.generic]], path: Path) -> Source:
    if set(arrays) != set(FILES):
        raise DataError(
            f"{path} must hold {', '.join(FILES)}, got {', '.join(sorted(arrays)) or 'nothing'}."
        )
    shaped = {
        key: array.reshape(-1, SIDE, SIDE) if array.size % SIDE**2 == 0 else array
        for key, array in arrays.items()
    }
    found = source_from_arrays("binarized_mnist", {**shaped, "levels": np.array(2)}, path=path)
    notes = ["fixed binarization of Larochelle and Murray, 2011"]
    for split, wanted in COUNTS.items():
        count = len(getattr(found, split))
        if count != wanted:
            # A text cut off at a line end looks complete, but its metrics are not comparable.
            notes.append(f"only {count:,} of the {wanted:,} {split} images")
    return Source(found.name, found.train, found.val, found.test, notes=tuple(notes))


def _read_mat(path: Path) -> NDArray[np.generic]:
    from scipy.io import loadmat  # type: ignore[import-untyped]

    try:
        pixels: NDArray[np.generic] = np.asarray(loadmat(path)["X"])
    except Exception as error:  # the parser raises errors of many types
        raise DataError(
            f"{path} is not a whole MATLAB 5 file with the key `X`: {error}. Fetch it anew."
        ) from error
    return _binary(pixels, path)


def _read_amat(path: Path) -> NDArray[np.generic]:
    """Reads lines of 784 zeros and ones, separated by blanks."""
    content = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    blank = np.isin(content, np.frombuffer(b" \t\r\n", dtype=np.uint8))
    return _binary(content[~blank].astype(np.int16) - ord("0"), path)


def _binary(pixels: NDArray[np.generic], path: Path) -> NDArray[np.generic]:
    if not pixels.size or pixels.size % SIDE**2 or not np.isin(pixels, (0, 1)).all():
        raise DataError(
            f"{path} must hold zeros and ones, {SIDE**2} per image, got {pixels.size:,} values. "
            f"Fetch it anew."
        )
    return pixels.astype(np.uint8)
