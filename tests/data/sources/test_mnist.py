import gzip
import hashlib
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
import torchvision

from pixelcnn.data import load_data
from pixelcnn.data.sources.mnist import parse_idx, read_fashion_mnist, read_mnist
from pixelcnn.errors import DataError


def idx(array):
    shape = b"".join(side.to_bytes(4, "big") for side in array.shape)
    return bytes([0, 0, 8, array.ndim]) + shape + array.numpy().tobytes()


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A set of four training and two test images, published under their own MD5s."""
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    resources = []
    for prefix, count in (("train", 4), ("t10k", 2)):
        images = torch.arange(count * 6, dtype=torch.uint8).reshape(count, 2, 3)
        for kind, array in (("images-idx3", images), ("labels-idx1", images[:, 0, 0] % 10)):
            path = raw / f"{prefix}-{kind}-ubyte.gz"
            path.write_bytes(gzip.compress(idx(array)))
            resources.append((path.name, hashlib.md5(path.read_bytes()).hexdigest()))
    monkeypatch.setattr(torchvision.datasets.MNIST, "resources", resources)
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", ["https://mirror.invalid/"])
    return tmp_path


@pytest.fixture
def _offline(monkeypatch):
    def refuse(*args, **kwargs):
        raise URLError("no network")

    monkeypatch.setattr("torchvision.datasets.utils._get_redirect_url", refuse)


def test_packed_files_are_read_where_they_are(tiny):
    before = sorted(tiny.rglob("*"))
    source = read_mnist(tiny)
    assert source.train.images.flatten().tolist() == list(range(24))
    assert source.train.labels.tolist() == [0, 6, 2, 8]
    assert (len(source.test), source.train.spec.shape) == (2, (1, 2, 3))
    assert sorted(tiny.rglob("*")) == before, "the folder was written to"


def test_unpacked_files_are_read_too(tiny):
    expected = read_mnist(tiny).train.images
    for path in tiny.rglob("*.gz"):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    assert torch.equal(read_mnist(tiny).train.images, expected)


def test_a_damaged_file_is_named(tiny):
    path = tiny / "MNIST" / "raw" / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte\.gz is damaged"):
        read_mnist(tiny)


@pytest.mark.usefixtures("_offline")
def test_without_network_one_line_says_where_files_belong(tmp_path):
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz is missing") as caught:
        read_mnist(tmp_path)
    assert "no network" in str(caught.value)
    assert "`data_root`" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DataError, match="is missing and could not be fetched"):
        read_mnist(tmp_path / "file")


def test_fetched_files_are_whole_or_absent(tiny, monkeypatch):
    path = tiny / "MNIST" / "raw" / "train-labels-idx1-ubyte.gz"
    content = path.read_bytes()
    path.unlink()

    def fetch(url, root, *, md5):
        assert url == f"https://mirror.invalid/{path.name}"
        (Path(root) / path.name).write_bytes(content)
        if answers.pop():
            raise RuntimeError("File not found or corrupted.")

    answers = [False, True]
    monkeypatch.setattr("torchvision.datasets.utils.download_url", fetch)
    with pytest.raises(DataError, match="corrupted"):
        read_mnist(tiny)
    assert not path.exists()
    assert read_mnist(tiny).train.labels.tolist() == [0, 6, 2, 8]
    assert path.read_bytes() == content
    assert len(list(path.parent.iterdir())) == 4, "something was left behind"


@pytest.mark.parametrize("content", [b"", b"\0\0\x08", b"\0\0\x08\x01\0\0\0\x02\x07", b"<html>"])
def test_what_is_no_whole_idx_file_is_refused(content):
    with pytest.raises(DataError, match="labels is not a whole IDX file"):
        parse_idx(content, Path("labels"))


def test_real_mnist_has_its_published_split(real_data):
    data = load_data("mnist", data_root=real_data, binarization="threshold")
    expected = "mnist, thresholded at 127.5, 54,000/6,000/10,000 (validation from training)"
    assert data.protocol == expected
    assert data.spec.as_dict() == {"channels": 1, "height": 28, "width": 28, "levels": 2}
    assert data.test.labels[:5].tolist() == [7, 2, 1, 0, 4]


def test_real_fashion_mnist_is_read_likewise(real_data):
    source = read_fashion_mnist(real_data)
    assert (len(source.train), len(source.test)) == (60_000, 10_000)
    assert source.train.labels.bincount().tolist() == [6_000] * 10
    assert source.label_names[-1] == "Ankle boot"


def test_a_label_of_no_class_is_refused(tiny):
    for path in tiny.rglob("*.gz"):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    labels = tiny / "MNIST" / "raw" / "t10k-labels-idx1-ubyte"
    labels.write_bytes(labels.read_bytes()[:-1] + bytes([10]))
    with pytest.raises(DataError, match=r"labels-idx1-ubyte must hold labels from 0 to 9, got 10"):
        read_mnist(tiny)
