"""Data sets, damaged and read."""

import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

from pixelcnn import load_data
from pixelcnn.data import DataSplits, batches
from tests.fuzz.mutations import damage
from tests.fuzz.target import Target


def images(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(256, size=shape, dtype=np.uint8)


def make_npz(folder: Path) -> Path:
    path = folder / "mine.npz"
    np.savez(path, x_train=images(9, 8, 8) % 17, y_train=np.arange(9) % 3, levels=17)
    return path


def make_npy(folder: Path) -> Path:
    path = folder / "mine.npy"
    np.save(path, images(9, 8, 8) % 17)
    return path


def twist_npz(content: bytes, rng: np.random.Generator) -> bytes:
    """Arrays of other types, shapes and values, in a whole archive."""
    strange = [
        np.full((9, 4, 5), np.nan),
        images(9, 4, 5).astype(np.float32),
        images(9, 4, 5).astype(np.int64) - 300,
        images(0, 4, 5),
        images(9),
        np.array("text"),
        np.array([{"a": 1}], dtype=object),
        np.zeros((2**20, 0, 5), np.uint8),
        images(9, 4, 5).astype(complex),
        np.full((9, 4, 5), 2**40),
    ]
    arrays = dict(np.load(io.BytesIO(content)))
    key = str(rng.choice([*arrays, "x_test", "y_test", "attributes_train", "layout"]))
    arrays[key] = strange[int(rng.integers(len(strange)))]
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def twist_npy(content: bytes, rng: np.random.Generator) -> bytes:
    """A header that promises terabytes, or is no header at all."""
    shapes = (
        "(10**9, 10**9)",
        "(2**40,)",
        "(-1, 4, 5)",
        "(9, 4, 5, 1, 1, 1)",
        "()",
        "('a',)",
        "[[",
    )
    types = ("|u1", "<i8", "|O", "<f8", "|S9", "<U4", "|V8")
    shape = shapes[int(rng.integers(len(shapes)))]
    header = (
        f"{{'descr': '{types[int(rng.integers(len(types)))]}', 'fortran_order': False, "
        f"'shape': {shape}, }}"
    ).ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + content[128:]


def read_set(kind: str) -> Callable[[Path], None]:
    def read(path: Path) -> None:
        check(load_data(f"{kind}:{path}"))

    return read


def check(data: DataSplits) -> None:
    """All images and labels are in their ranges."""
    for part in (data.train, data.val, data.test):
        for batch in batches(part, 4):
            assert batch.x.min() >= 0 and batch.x.max() < data.spec.levels
            if batch.conditions.labels is not None:
                assert batch.conditions.labels.min() >= 0


def make_mnist(folder: Path) -> Path:
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part in ("train", "t10k"):
        header = bytes([0, 0, 8, 3, 0, 0, 0, 9, 0, 0, 0, 28, 0, 0, 0, 28])
        (raw / f"{part}-images-idx3-ubyte").write_bytes(header + images(9, 28, 28).tobytes())
        labels = bytes([0, 0, 8, 1, 0, 0, 0, 9]) + bytes(range(9))
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(labels)
    return raw / "t10k-labels-idx1-ubyte"


def make_amat(folder: Path) -> Path:
    for part in ("train", "valid", "test"):
        lines = [" ".join(map(str, row)) for row in images(3, 784) % 2]
        (folder / f"binarized_mnist_{part}.amat").write_text("\n".join(lines))
    return folder / "binarized_mnist_test.amat"


def make_mat(folder: Path) -> Path:
    for part in ("train", "valid", "test"):
        savemat(folder / f"binarized_mnist_{part}.mat", {"X": images(3, 784) % 2})
    return folder / "binarized_mnist_test.mat"


def make_celeba(folder: Path) -> Path:
    faces = folder / "celeba"
    (faces / "img_align_celeba").mkdir(parents=True)
    names = [f"{number:06d}.jpg" for number in range(1, 7)]
    for name in names:
        Image.new("RGB", (178, 218)).save(faces / "img_align_celeba" / name)
    lists = {
        "list_attr_celeba.txt": ["6", "Bald Male", *(f"{name} -1  1" for name in names)],
        "list_eval_partition.txt": [f"{name} {at // 2}" for at, name in enumerate(names)],
        "identity_CelebA.txt": [f"{name} {at}" for at, name in enumerate(names)],
        "list_bbox_celeba.txt": ["6", "x y w h", *(f"{name} 1 2 3 4" for name in names)],
        "list_landmarks_align_celeba.txt": ["6", "a b", *(f"{name} 1 2" for name in names)],
    }
    for name, lines in lists.items():
        (faces / name).write_text("\n".join(lines) + "\n")
    return faces / "list_attr_celeba.txt"


def read_named(name: str, depth: int = 0) -> Callable[[Path], None]:
    """Reads a data set from the folder so many folders above that of the file."""

    def read(path: Path) -> None:
        check(load_data(name, data_root=path.parents[depth], val_fraction=0.3))

    return read


def score(model: str, name: str, depth: int = 0) -> Callable[[Path, Path], list[object]]:
    def words(path: Path, out: Path) -> list[object]:
        data = [f"--data.dataset_name={name}", f"--data.data_root={path.parents[depth]}"]
        if name in ("npz", "npy"):
            data = [f"--data.dataset_name={name}:{path}", "--data.levels=17"]
        return ["score", model, *data, "--max-images=2", f"--out={out}"]

    return words


SIZES = (damage, twist_npy)

TARGETS = (
    Target("npz", make_npz, read_set("npz"), (damage, twist_npz), score("digits", "npz")),
    Target("npy", make_npy, read_set("npy"), SIZES, score("digits", "npy")),
    Target("mnist", make_mnist, read_named("mnist", 2), words=score("mnist-256", "mnist", 2)),
    Target("amat", make_amat, read_named("binarized_mnist")),
    Target("mat", make_mat, read_named("binarized_mnist")),
    Target("celeba", make_celeba, read_named("celeba", 1)),
)
