import hashlib
import pickle
from contextlib import contextmanager
from urllib.error import URLError

import numpy as np
import pytest
import torchvision

from pixelcnn.data import DataWarning, load_data
from pixelcnn.data.sources import cifar10
from pixelcnn.data.sources.cifar10 import NAMES, read_cifar10
from pixelcnn.errors import DataError

IMAGES = np.random.default_rng(0).integers(256, size=(20, 32, 32, 3), dtype=np.uint8)
LABELS = np.arange(20) % 10


def test_an_npz_file_serves_with_its_number_of_test_images_stated(tmp_path):
    arrays = {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES[:4], "y_test": LABELS[:4]}
    np.savez(tmp_path / "cifar10.npz", **arrays)
    data = load_data("cifar10", data_root=tmp_path)
    assert data.protocol == (
        "cifar10, 256 levels, 18/2/4 (validation from training; only 4 of the 10,000 test images)"
    )
    assert data.label_names == NAMES
    assert np.array_equal(data.test.images.permute(0, 2, 3, 1).numpy(), IMAGES[:4])


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A folder with a small set as torchvision keeps it."""
    folder = tmp_path / "there" / "cifar-10-batches-py"
    folder.mkdir(parents=True)

    def write(name, **content):
        (folder / name).write_bytes(pickle.dumps(content))
        return [name, hashlib.md5((folder / name).read_bytes()).hexdigest()]

    found = torchvision.datasets.CIFAR10
    flat = IMAGES.transpose(0, 3, 1, 2).reshape(20, -1)
    train = write("data_batch_1", data=flat, labels=LABELS.tolist())
    test = write("test_batch", data=flat[:5], labels=LABELS[:5].tolist())
    meta = write("batches.meta", label_names=list(NAMES))
    monkeypatch.setattr(found, "train_list", [train])
    monkeypatch.setattr(found, "test_list", [test])
    monkeypatch.setattr(found, "meta", {**found.meta, "md5": meta[1]})
    return folder.parent


def test_the_layout_of_torchvision_is_read(published):
    source = read_cifar10(published)
    assert np.array_equal(source.train.images.permute(0, 2, 3, 1).numpy(), IMAGES)
    assert source.test.labels.tolist() == LABELS[:5].tolist()
    assert source.label_names == NAMES


def test_who_comes_while_another_process_fetches_waits_for_it(published, tmp_path, monkeypatch):
    @contextmanager
    def after_another(lock, *, on_wait):
        assert lock == tmp_path / "here" / ".cifar10.lock" and lock.parent.is_dir()
        on_wait()
        (published / "cifar-10-batches-py").rename(lock.parent / "cifar-10-batches-py")
        yield

    monkeypatch.setattr(cifar10, "exclusive_lock", after_another)
    with pytest.warns(DataWarning, match="Another process is fetching CIFAR-10 into .*here"):
        assert len(read_cifar10(tmp_path / "here").train) == 20
    monkeypatch.setattr(cifar10, "exclusive_lock", None)
    assert len(read_cifar10(tmp_path / "here").test) == 5


def test_without_network_one_line_says_what_to_put_where(tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise URLError("no network")

    monkeypatch.setattr("torchvision.datasets.utils._get_redirect_url", refuse)
    with pytest.raises(DataError, match="cifar-10-batches-py") as caught:
        read_cifar10(tmp_path)
    assert "no network" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("images", "keys", "word"),
    [
        (IMAGES[:, :16], ["x_train", "y_train", "x_test", "y_test"], "32×32"),
        (IMAGES, ["x_train", "y_train"], "must hold `x_train`, `y_train`, `x_test`"),
    ],
)
def test_an_npz_file_that_does_not_fit_is_refused(tmp_path, images, keys, word):
    arrays = {key: images if key.startswith("x") else LABELS for key in keys}
    np.savez(tmp_path / "cifar10.npz", **arrays)
    with pytest.raises(DataError, match=word):
        read_cifar10(tmp_path)
