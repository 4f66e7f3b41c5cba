"""A law of every reader: a truncated file is read completely, or refused by its name."""

import hashlib
import pickle

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image

from pixelcnn.data import DATASETS, batches, load_data
from pixelcnn.errors import DataError
from tests.data.sources import test_binarized_mnist as binarized
from tests.data.sources import test_celeba as celeba
from tests.data.sources import test_mnist as mnist
from tests.data.sources.folders import test_shard_folder as shards

RNG = np.random.default_rng(0)
CUTS = (0.0, 0.03, 0.3, 0.6, 0.9, 0.99, 1.0)  # shares of the bytes that stay, one less at the last


def some(*shape):
    return RNG.integers(256, size=shape, dtype=np.uint8)


def idx_gz(root, monkeypatch):
    mnist.tiny.__wrapped__(root, monkeypatch)
    return "mnist", list(root.rglob("*.gz"))


def idx(root, monkeypatch):
    _, packed = idx_gz(root, monkeypatch)
    for path in packed:
        path.with_suffix("").write_bytes(mnist.gzip.decompress(path.read_bytes()))
        path.unlink()
    return "mnist", list(root.rglob("*-ubyte"))


def mat(root, monkeypatch):
    binarized.write_mat(root)
    return "binarized_mnist", list(root.glob("*.mat"))


def amat(root, monkeypatch):
    binarized.write_amat(root)
    return "binarized_mnist", list(root.glob("*.amat"))


def cifar_pickles(root, monkeypatch):
    folder = root / "cifar-10-batches-py"
    folder.mkdir()
    listed = []
    for name in ("data_batch_1", "test_batch"):
        content = pickle.dumps({"data": some(20, 3072), "labels": [n % 10 for n in range(20)]})
        (folder / name).write_bytes(content)
        listed.append([name, hashlib.md5(content).hexdigest()])
    names = pickle.dumps({"label_names": list("abcdefghij")})
    (folder / "batches.meta").write_bytes(names)
    published = torchvision.datasets.CIFAR10
    monkeypatch.setattr(published, "train_list", listed[:1])
    monkeypatch.setattr(published, "test_list", listed[1:])
    md5 = hashlib.md5(names).hexdigest()
    monkeypatch.setattr(published, "meta", {**published.meta, "md5": md5})
    return "cifar10", [folder / "data_batch_1", folder / "test_batch"]


def cifar_npz(root, monkeypatch):
    y = np.arange(20) % 10
    x = some(20, 32, 32, 3)
    np.savez(root / "cifar10.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    return "cifar10", [root / "cifar10.npz"]


def npz(root, monkeypatch):
    np.savez(root / "mine.npz", x_train=some(9, 4, 5), y_train=np.arange(9) % 3)
    return f"npz:{root / 'mine.npz'}", [root / "mine.npz"]


def packed_npz(root, monkeypatch):
    np.savez_compressed(root / "mine.npz", x_train=some(9, 4, 5))
    return f"npz:{root / 'mine.npz'}", [root / "mine.npz"]


def npy(root, monkeypatch):
    np.save(root / "mine.npy", some(9, 4, 5))
    return f"npy:{root / 'mine.npy'}", [root / "mine.npy"]


def shard_folder(root, monkeypatch):
    shards.folder.__wrapped__(root)
    return f"npz:{root}", list(root.glob("*.npz"))


def folder_of(suffix):
    def write(root, monkeypatch):
        for number in range(9):
            Image.fromarray(some(16, 16, 3)).save(root / f"{number}.{suffix}")
        return f"folder:{root}", [root / f"4.{suffix}"]

    return write


def faces(root, monkeypatch):
    celeba.root.__wrapped__(root)
    return "celeba", [root / "celeba" / "img_align_celeba" / celeba.FILES[2]]


def face_lists(root, monkeypatch):
    celeba.root.__wrapped__(root)
    names = ("list_attr_celeba.txt", "list_eval_partition.txt")
    return "celeba", [root / "celeba" / name for name in names]


def parquet(root, monkeypatch):
    datasets = pytest.importorskip("datasets", reason="the extra `datasets` is not installed")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", root / "cache")
    cells = {"image": [Image.fromarray(some(8, 8)) for _ in range(9)]}
    features = datasets.Features({"image": datasets.Image()})
    datasets.Dataset.from_dict(cells, features=features).to_parquet(root / "mine.parquet")
    return f"hf:{root / 'mine.parquet'}", [root / "mine.parquet"]


KINDS = {
    "idx.gz": idx_gz,
    "idx": idx,
    "mat": mat,
    "amat": amat,
    "cifar pickles": cifar_pickles,
    "cifar npz": cifar_npz,
    "npz": npz,
    "compressed npz": packed_npz,
    "npy": npy,
    "shards": shard_folder,
    **{suffix: folder_of(suffix) for suffix in ("png", "jpg", "bmp", "webp", "gif", "tif", "ppm")},
    "celeba": faces,
    "celeba lists": face_lists,
    "parquet": parquet,
}


def all_images(name, root, **options):
    """Every image of a data set, in order, with its conditions."""
    data = load_data(name, data_root=root, **options)
    found = [batch for part in (data.train, data.val, data.test) for batch in batches(part, 4)]
    return [
        values for batch in found for values in (batch.x, *batch.conditions) if values is not None
    ]


def same(one, other):
    return len(one) == len(other) and all(map(torch.equal, one, other))


@pytest.mark.parametrize("kind", KINDS)
def test_of_a_cut_file_nothing_is_missing_or_it_is_refused_by_name(tmp_path, monkeypatch, kind):
    name, files = KINDS[kind](tmp_path, monkeypatch)
    options = {"image_size": 8} if kind.startswith("celeba") else {}
    whole = all_images(name, tmp_path, **options)
    refused = 0
    for file in files:
        content = file.read_bytes()
        for share in CUTS:
            file.write_bytes(content[: min(int(share * len(content)), len(content) - 1)])
            try:
                assert same(all_images(name, tmp_path, **options), whole), (file, share)
            except DataError as error:
                assert file.name in str(error) and "\n" not in str(error)
                refused += 1
        file.write_bytes(content)
    assert refused >= (len(CUTS) - 2) * len(files)
    assert same(all_images(name, tmp_path, **options), whole)


def test_every_reader_has_been_tried():
    tried = {"mnist", "binarized_mnist", "cifar10", "npz", "npy", "folder", "celeba", "hf"}
    alike = {"fashion_mnist"}  # read as MNIST is
    assert set(DATASETS) - {"digits"} == tried | alike


def test_a_text_cut_off_at_the_end_of_a_line_is_in_the_protocol(tmp_path):
    binarized.write_amat(tmp_path)
    path = tmp_path / "binarized_mnist_valid.amat"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:2]))
    protocol = load_data("binarized_mnist", data_root=tmp_path).protocol
    assert "only 2 of the 10,000 val images" in protocol
