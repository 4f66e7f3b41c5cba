import numpy as np
import pytest
import torch

from pixelcnn.data import DataWarning, load_data
from pixelcnn.data.sources.arrays.arrays import read_npy, read_npz, to_images
from pixelcnn.errors import ConfigError, DataError

RNG = np.random.default_rng(0)
BYTES = np.arange(256, dtype=np.uint8).reshape(4, 8, 8)


@pytest.fixture
def save(tmp_path):
    def write(**arrays):
        np.savez(tmp_path / "mine.npz", **arrays)
        return tmp_path / "mine.npz"

    return write


def test_every_byte_arrives_exactly(save):
    source = read_npz(save(x_train=BYTES))
    assert source.train.images.flatten().tolist() == list(range(256))
    assert source.train.spec.levels == 256
    assert (source.val, source.test, source.label_names) == (None, None, None)


@pytest.mark.parametrize("shape", [(5, 8, 9, 3), (5, 3, 8, 9)])
def test_the_axis_of_length_three_holds_the_channels(shape):
    array = np.random.default_rng(0).integers(256, size=shape, dtype=np.uint8)
    channels_last = array if shape[-1] == 3 else array.transpose(0, 2, 3, 1)
    images = to_images(array)
    assert images.shape == (5, 3, 8, 9)
    assert np.array_equal(images.permute(0, 2, 3, 1).numpy(), channels_last)


def test_arrays_of_three_axes_are_grey():
    assert to_images(BYTES).shape == (4, 1, 8, 8)


@pytest.mark.parametrize("shape", [(5, 3, 8, 3), (5, 4, 8, 9), (5, 1, 1, 1)])
def test_a_shape_that_leaves_the_channels_open_is_refused(shape):
    with pytest.raises(DataError, match="`layout`: 'NHWC' or 'NCHW'"):
        to_images(np.zeros(shape, np.uint8))


def test_the_key_layout_settles_it(save):
    x = np.full((5, 3, 8, 3), 70, np.uint8)
    assert read_npz(save(x_train=x, layout="NCHW")).train.spec.shape == (3, 8, 3)
    assert read_npz(save(x_train=x, layout="NHWC")).train.spec.shape == (3, 3, 8)


def test_the_key_levels_states_what_the_type_does_not(save):
    codes = np.full((3, 4, 4), 511, np.int64)
    assert read_npz(save(x_train=codes, levels=512)).train.spec.levels == 512
    with pytest.raises(DataError, match="the key `levels`"):
        read_npz(save(x_train=codes))


@pytest.mark.parametrize(("dtype", "levels"), [(bool, 2), (np.uint8, 256), (np.uint16, 65_536)])
def test_types_imply_their_levels(save, dtype, levels):
    x = (BYTES.astype(int) * 257 % levels).astype(dtype)
    assert read_npz(save(x_train=x)).train.spec.levels == levels


def test_sixteen_bits_arrive_exactly(save):
    x = np.arange(65_536, dtype=np.uint16).reshape(1, 256, 256)
    assert torch.equal(read_npz(save(x_train=x)).train.images.flatten(), torch.arange(65_536))


def test_bytes_of_zero_and_one_are_not_guessed_to_be_binary(save):
    x = np.eye(8, dtype=np.uint8)[None].repeat(3, 0)
    with pytest.raises(DataError, match=r"only 0 and 1 .* levels=2"):
        read_npz(save(x_train=x))
    assert read_npz(save(x_train=x, levels=2)).train.spec.levels == 2


def test_few_bits_of_sixteen_are_refused_and_kept_exactly_once_stated(save):
    x = np.arange(4096, dtype=np.uint16).reshape(4, 32, 32)
    with pytest.raises(DataError, match=r"uses 12 bits, .* `data\.bits=12`, or with the key `lev"):
        read_npz(save(x_train=x))
    source = read_npz(save(x_train=x), bits=12)
    assert source.train.spec.levels == 4096
    assert torch.equal(source.train.images.flatten(), torch.arange(4096))
    with pytest.raises(DataError, match="from 0 to 2047, got 4095"):
        read_npz(save(x_train=x), bits=11)
    with pytest.raises(ConfigError, match=r"`bits` must be left out: .* holds 5000 `levels`"):
        read_npz(save(x_train=x, levels=5000), bits=12)
    with pytest.raises(ConfigError, match="`bits` must be from 1 to 16, got 17"):
        read_npz(save(x_train=x), bits=17)


def test_integers_that_are_no_levels_are_refused_with_a_remedy(save):
    spins = RNG.choice([-1, 1], (4, 8, 8))
    with pytest.raises(DataError, match=r"Save spins as \(x \+ 1\) // 2, .*levels=2"):
        read_npz(save(x_train=spins))
    with pytest.raises(DataError, match=r"save x - \(-1000\), .*levels=2001"):
        read_npz(save(x_train=np.array([[[-1000, 1000]]])))


@pytest.mark.parametrize("options", [{"levels": 4}, {"binarization": "threshold"}])
def test_codes_are_scaled_to_the_nearest_pixel_and_never_rounded(save, options):
    codes = RNG.choice([3, 77, 500], (8, 9, 9)).astype(np.uint16)
    path = save(x_train=codes, levels=512, codebook=np.zeros((512, 4)))
    data = load_data(f"npz:{path}", image_size=4)
    assert set(data.train.images.unique().tolist()) <= {3, 77, 500}
    assert "resized to 4×4 by the nearest pixel" in data.protocol
    with pytest.raises(ConfigError, match="ids or codes without an order"):
        load_data(f"npz:{path}", **options)


def test_labels_come_with_their_names(save):
    source = read_npz(save(x_train=BYTES, y_train=[0, 2, 1, 0], x_test=BYTES, y_test=[2, 2, 2, 2]))
    assert source.label_names == ("0", "1", "2")
    assert source.test.labels.tolist() == [2] * 4
    named = read_npz(save(x_train=BYTES, y_train=[0, 1, 1, 0], label_names=["cat", "dog"]))
    assert named.label_names == ("cat", "dog")


def test_unknown_labels_leave_a_split_without_labels(save):
    known = {"x_train": BYTES, "y_train": [0, 1, 1, 0], "x_test": BYTES}
    with pytest.warns(DataWarning, match="1 of 4 test images without a known label"):
        source = read_npz(save(**known, y_test=[0, 1, 1, -1]))
    assert source.test.labels is None and source.train.labels.tolist() == [0, 1, 1, 0]
    assert source.notes == ("1 of 4 test images without a known label",)
    with pytest.warns(DataWarning, match="3 of 4 train images"):
        source = read_npz(save(**known | {"y_train": [0, -1, -1, -1]}, y_test=[0] * 4))
    assert source.label_names is None and source.test.labels is None


def test_classes_without_training_images_are_named(save):
    with pytest.warns(DataWarning, match=r"no training images of class 0: .* nothing about it"):
        assert read_npz(save(x_train=BYTES, y_train=[1, 2, 3, 1])).label_names == tuple("0123")


@pytest.mark.parametrize(
    ("arrays", "word"),
    [
        ({"images": BYTES}, "must hold `x_train` .* got `images`"),
        ({"x_train": BYTES, "x_valid": BYTES}, "`x_valid`"),
        ({"x_train": BYTES / 255}, "integer levels, got dtype float64"),
        ({"x_train": BYTES.ravel()}, r"\(N, H, W\).* got \(256,\)"),
        ({"x_train": BYTES[:0]}, "no empty axis"),
        ({"x_train": BYTES.astype(np.int64) - 1, "levels": 256}, "values from -1"),
        ({"x_train": BYTES, "levels": 16}, "from 0 to 15, got 255"),
        ({"x_train": BYTES, "levels": 1}, "from 2 to 65536, got 1"),
        ({"x_train": BYTES, "levels": 2.5}, "whole number"),
        ({"x_train": BYTES[..., None], "layout": "HWC"}, "one of NHWC, NCHW"),
        ({"x_train": BYTES, "x_test": BYTES[:, :4]}, "one shape"),
        ({"x_train": BYTES, "y_train": [0, 1, 2]}, r"shape \(4,\), got int64 of shape \(3,\)"),
        ({"x_train": BYTES, "y_train": [0.5] * 4}, "one integer per image"),
        ({"x_train": BYTES, "y_train": [0, 1, -2, 0]}, "or -1 where it is .* values from -2 to 1"),
        ({"x_train": BYTES, "y_train": np.eye(4, dtype=int)}, "several .* as `attributes_train`"),
        (
            {"x_train": BYTES, "y_train": [0, 1, 1, 0], "x_test": BYTES, "y_test": [0, 1, 2, 0]},
            "from 0 to 1, .* got values from 0 to 2",
        ),
        ({"x_train": BYTES, "y_train": [0] * 4, "x_val": BYTES}, "must hold `y_val` too"),
        ({"x_train": BYTES, "y_test": [0] * 4}, "`y_test` but no `y_train`"),
    ],
)
def test_what_does_not_fit_is_named(save, arrays, word):
    with pytest.raises(DataError, match=word):
        read_npz(save(**arrays))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"no file .*absent\.npz"):
        read_npz(tmp_path / "absent.npz")


@pytest.mark.parametrize("keep", [0, 10, 0.5, -30])
def test_a_truncated_file_is_named(save, keep):
    path = save(x_train=BYTES)
    content = path.read_bytes()
    path.write_bytes(content[: keep if isinstance(keep, int) else int(len(content) * keep)])
    with pytest.raises(DataError, match=r"mine\.npz cannot be read"):
        read_npz(path)


class Trap:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return (pytest.fail, ("the file was unpickled",))


def test_pickled_objects_are_never_opened(save, tmp_path):
    trap = np.array([Trap()], dtype=object)
    with pytest.raises(DataError, match="plain arrays"):
        read_npz(save(x_train=trap))
    np.save(tmp_path / "trap.npy", trap)
    with pytest.raises(DataError, match="plain arrays"):
        read_npy(tmp_path / "trap.npy")


def test_an_npy_file_holds_one_array(tmp_path, save):
    np.save(tmp_path / "mine.npy", BYTES)
    source = read_npy(tmp_path / "mine.npy")
    assert source.name == "npy:mine.npy"
    assert source.train.images.flatten().tolist() == list(range(256))
    with pytest.raises(DataError, match="Read it as npz:"):
        read_npy(save(x_train=BYTES))
    with pytest.raises(DataError, match=r"one array\. Read it as npy:"):
        read_npz(tmp_path / "mine.npy")
