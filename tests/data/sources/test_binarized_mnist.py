import numpy as np
import pytest

from pixelcnn.data import load_data
from pixelcnn.data.sources.binarized_mnist import FILES, read_binarized_mnist
from pixelcnn.errors import ConfigError, DataError

PIXELS = {
    key: np.random.default_rng(seed).integers(2, size=(3, 784), dtype=np.uint8)
    for seed, key in enumerate(FILES)
}


def write_mat(folder):
    from scipy.io import savemat

    for key, part in FILES.items():
        savemat(folder / f"binarized_mnist_{part}.mat", {"X": PIXELS[key].astype(float)})


def write_amat(folder):
    for key, part in FILES.items():
        text = "".join(" ".join(map(str, row)) + " \n" for row in PIXELS[key])
        (folder / f"binarized_mnist_{part}.amat").write_text(text)


def write_npz(folder):
    shaped = {key: array.reshape(-1, 28, 28, 1) for key, array in PIXELS.items()}
    np.savez(folder / "binarized_mnist.npz", **shaped)


@pytest.mark.parametrize("sub", [".", "binarized_mnist"])
@pytest.mark.parametrize("write", [write_mat, write_amat, write_npz])
def test_all_forms_hold_the_same_images(tmp_path, write, sub):
    folder = tmp_path / sub
    folder.mkdir(exist_ok=True)
    write(folder)
    source = read_binarized_mnist(tmp_path)
    for key, part in (("x_train", source.train), ("x_val", source.val), ("x_test", source.test)):
        assert part.spec.as_dict() == {"channels": 1, "height": 28, "width": 28, "levels": 2}
        assert np.array_equal(part.images.flatten(1).numpy(), PIXELS[key])


def test_its_own_validation_images_are_used(tmp_path):
    write_npz(tmp_path)
    data = load_data("binarized_mnist", data_root=tmp_path)
    assert [len(part) for part in (data.train, data.val, data.test)] == [3, 3, 3]
    assert "its own validation images" in data.protocol
    assert "Larochelle and Murray" in data.protocol


def test_binarizing_it_again_is_refused(tmp_path):
    write_npz(tmp_path)
    with pytest.raises(ConfigError, match="binary already"):
        load_data("binarized_mnist", data_root=tmp_path, binarization="dynamic")


def test_missing_files_are_named_with_where_to_get_them(tmp_path):
    with pytest.raises(DataError, match=r"Fetch binarized_mnist_train\.amat.* from http"):
        read_binarized_mnist(tmp_path)


@pytest.mark.parametrize(
    ("write", "name"), [(write_mat, "train.mat"), (write_amat, "test.amat"), (write_npz, "npz")]
)
def test_a_truncated_file_is_named(tmp_path, write, name):
    write(tmp_path)
    (path,) = tmp_path.glob(f"*{name}")
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(DataError, match=path.name):
        read_binarized_mnist(tmp_path)


def test_grey_values_are_refused(tmp_path):
    write_amat(tmp_path)
    path = tmp_path / "binarized_mnist_valid.amat"
    path.write_text(path.read_text().replace("1", "7"))
    with pytest.raises(DataError, match="must hold zeros and ones"):
        read_binarized_mnist(tmp_path)


def test_the_real_set_has_its_official_split(real_data):
    data = load_data("binarized_mnist", data_root=real_data)
    assert [len(part) for part in (data.train, data.val, data.test)] == [50_000, 10_000, 10_000]
