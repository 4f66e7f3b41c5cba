"""From the name of a data set to its splits, and data sets of a user."""

import json
from fractions import Fraction

import numpy as np
import pytest
import torch

from pixelcnn.cli import main
from pixelcnn.data import DATASETS, Source, TensorImageSet, batches, load_data, register
from pixelcnn.errors import ConfigError, DataError


@pytest.fixture
def npz(tmp_path):
    """Writes images, each of one level, that cover all 256; returns the name of the set."""

    def write(**more):
        x = np.arange(256, dtype=np.uint8).repeat(4).reshape(256, 2, 2)
        np.savez(tmp_path / "mine.npz", x_train=x, **more)
        return f"npz:{tmp_path / 'mine.npz'}"

    return write


def levels_of(*parts):
    return torch.cat([part.images[:, 0, 0, 0].long() for part in parts])


def test_digits_need_no_file_and_no_option():
    data = load_data("digits")
    assert data.protocol == "digits, 17 levels, 1,298/144/355 (validation from training)"
    assert data.spec.as_dict() == {"channels": 1, "height": 8, "width": 8, "levels": 17}
    assert data.num_labels == 10
    assert len(data.train.labels) == len(data.train) == 1298


@pytest.mark.parametrize("levels", [2, 3, 16, 100, 255, 256])
def test_every_level_is_rounded_to_the_nearest(npz, levels):
    x = load_data(npz(), image_size=2)
    y = load_data(npz(), levels=levels)
    stored, rounded = (levels_of(data.train, data.val, data.test).tolist() for data in (x, y))
    assert sorted(stored) == list(range(256))
    for level, got in zip(stored, rounded, strict=True):
        error = abs(Fraction(got, levels - 1) - Fraction(level, 255))
        assert error <= Fraction(1, 2 * (levels - 1))


def test_the_splits_are_disjoint_and_complete(npz):
    data = load_data(npz(), val_fraction=0.25)
    assert sorted(levels_of(data.train, data.val, data.test).tolist()) == list(range(256))
    assert [len(part) for part in (data.train, data.val, data.test)] == [172, 58, 26]
    assert "(validation and test from training)" in data.protocol


def test_validation_images_never_come_from_the_test_set(npz):
    test = np.full((3, 2, 2), 7, np.uint8)
    data = load_data(npz(x_test=test), val_fraction=0.5)
    assert len(data.test) == 3
    assert sorted(levels_of(data.train, data.val).tolist()) == list(range(256))
    assert "(validation from training)" in data.protocol


def test_validation_images_of_the_set_are_used_as_they_are(npz):
    val = np.full((5, 2, 2), 9, np.uint8)
    data = load_data(npz(x_val=val, x_test=val), val_fraction=0.5)
    assert [len(part) for part in (data.train, data.val, data.test)] == [256, 5, 5]
    assert "its own validation images" in data.protocol


@pytest.mark.parametrize("options", [{"levels": 4}, {"binarization": "dynamic"}, {"seed": 5}])
def test_no_option_moves_images_between_splits(options):
    plain, other = load_data("digits"), load_data("digits", **options)
    for split in ("train", "val", "test"):
        assert torch.equal(getattr(plain, split).labels, getattr(other, split).labels)


def test_the_limit_holds_for_every_split_and_is_stated():
    first, second = (load_data("digits", max_samples=20, seed=seed) for seed in (0, 1))
    assert [len(part) for part in (first.train, first.val, first.test)] == [20, 20, 20]
    assert "20/20/20 (validation from training; at most 20 images" in first.protocol
    assert not torch.equal(first.train.images, second.train.images)
    assert torch.equal(first.test.images, second.test.images)


def test_threshold_cuts_in_the_middle(npz):
    data = load_data(npz(), binarization="threshold", levels=2)
    stored = load_data(npz())
    assert "thresholded at 127.5" in data.protocol
    assert data.spec.levels == 2
    expected = levels_of(stored.train, stored.val, stored.test) >= 128
    assert torch.equal(levels_of(data.train, data.val, data.test), expected.long())


def test_dynamic_binarization_samples_once_for_evaluation_and_anew_for_training():
    data, again = (load_data("digits", binarization="dynamic", seed=seed) for seed in (0, 1))
    assert "dynamically binarized" in data.protocol
    assert data.spec.levels == 2
    for split in ("val", "test"):
        part = getattr(data, split)
        assert part.images.max() == 1
        assert not part.is_dynamic
        assert torch.equal(part.images, getattr(again, split).images)
    loaded = batches(data.train, 2000)
    ((first, _),), ((second, _),) = loaded, loaded
    assert first.max() == 1
    assert not torch.equal(first, second)


@pytest.mark.parametrize("size", [(4, 4), (6, 12), (9, 5)])
def test_size_and_levels_go_together(size):
    data = load_data("digits", image_size=size, levels=5)
    assert data.spec.as_dict() == {"channels": 1, "height": size[0], "width": size[1], "levels": 5}
    assert data.train.images.shape == (1298, 1, *size)
    assert data.train.images.max() == 4
    assert f"resized to {size[0]}×{size[1]}, 5 levels of 17" in data.protocol


def test_the_size_that_images_have_is_no_change():
    plain, sized = load_data("digits"), load_data("digits", image_size=8)
    assert sized.protocol == plain.protocol
    assert torch.equal(sized.train.images, plain.train.images)


def test_files_can_be_named_by_data_root_too(npz):
    name, _, path = npz().partition(":")
    assert load_data(name, data_root=path).protocol == load_data(f"{name}:{path}").protocol


def test_the_folder_of_sets_comes_from_the_environment_or_is_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIXELCNN_DATA", str(tmp_path / "named"))
    with pytest.raises(DataError, match="named/binarized_mnist"):
        load_data("binarized_mnist")
    monkeypatch.delenv("PIXELCNN_DATA")
    with pytest.raises(DataError, match="is not in data/binarized_mnist"):
        load_data("binarized_mnist")


@pytest.mark.parametrize("name", ["mnits", "", "digits:here", "zip:here"])
def test_an_unknown_name_lists_the_choices(name):
    with pytest.raises(ConfigError, match=", ".join(DATASETS)):
        load_data(name)


@pytest.mark.parametrize("name", ["npz", "npy", "folder"])
def test_own_files_need_a_path(name):
    with pytest.raises(ConfigError, match=f"write {name}:PATH"):
        load_data(name)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"levels": 18}, "from 2 to 17, the levels of digits, got 18"),
        ({"levels": 1}, "from 2 to 17"),
        ({"levels": 4, "binarization": "threshold"}, "`levels` must be 2 or left out"),
        ({"binarization": "static"}, "one of none, threshold, dynamic, got 'static'"),
        ({"val_fraction": 0}, "between 0 and 1, got 0"),
        ({"val_fraction": 1.0}, "between 0 and 1"),
        ({"max_samples": 0}, "`max_samples` must be at least 1"),
        ({"image_size": 0}, "`image_size`"),
        ({"image_size": (8, 8, 1)}, "`image_size`"),
        ({"channels": 3}, "`channels` must be 1, those of digits, got 3"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, word):
    with pytest.raises(ConfigError, match=word):
        load_data("digits", **options)


def test_too_few_images_are_refused(tmp_path):
    np.save(tmp_path / "one.npy", np.full((1, 2, 2), 9, np.uint8))
    with pytest.raises(DataError, match=r"1 training image, .* 3 are needed: .* and one each for"):
        load_data(f"npy:{tmp_path / 'one.npy'}")


def test_three_images_are_enough_and_two_are_too_few(tmp_path):
    x = np.full((3, 2, 2), 9, np.uint8)
    np.save(tmp_path / "three.npy", x)
    data = load_data(f"npy:{tmp_path / 'three.npy'}")
    assert [len(part) for part in (data.train, data.val, data.test)] == [1, 1, 1]
    np.savez(tmp_path / "two.npz", x_train=x[:1], x_test=x)
    with pytest.raises(DataError, match=r"2 are needed: .* one each for validation"):
        load_data(f"npz:{tmp_path / 'two.npz'}")


def test_a_folder_that_cannot_be_listed_is_named(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(DataError, match=f"{tmp_path} cannot be read: Permission denied"):
        load_data(f"folder:{tmp_path}")


@pytest.fixture
def stripes():
    """A data set that a user registers; returns its name."""

    @register("stripes")
    def read_stripes(root, *, num_images: int = 30, dark: bool = False):
        x = torch.arange(4).repeat(num_images, 1, 4, 1) % (2 if dark else 4)
        return Source("stripes", TensorImageSet(x, levels=4), notes=(f"in {root.name}",))

    yield "stripes"
    del DATASETS["stripes"]


def test_a_registered_data_set_is_loaded_with_its_own_options(stripes, tmp_path):
    data = load_data(stripes, data_root=tmp_path / "here", num_images=50, image_size=2)
    assert data.protocol.startswith("stripes, resized to 2×2, 4 levels, 41/4/5 (validation and")
    assert data.protocol.endswith("in here)")
    assert load_data(stripes).train.images.max() == 3
    assert load_data(stripes, dark=True).train.images.max() == 1


def test_options_that_no_reader_or_another_one_takes_are_refused(stripes):
    with pytest.raises(ConfigError, match="`num_images` is for stripes alone, got 5 for digits"):
        load_data("digits", num_images=5)
    with pytest.raises(ConfigError, match="`nosuch` is no option of a data set, got 1 for stripes"):
        load_data(stripes, nosuch=1)
    assert load_data("digits", num_images=None, dark=False).protocol.startswith("digits")


def test_a_registered_name_is_listed_and_is_not_taken_twice(stripes):
    with pytest.raises(ConfigError, match=r"must be one of digits, .*, stripes, or npz:PATH"):
        load_data("nosuch")
    with pytest.raises(ConfigError, match=r"'digits' must be a new name, but .*read_digits has it"):
        register("digits")(lambda root: None)


def test_a_registered_data_set_trains_from_the_command_line(stripes, tmp_path, monkeypatch):
    monkeypatch.setenv("PIXELCNN_DATA", str(tmp_path))
    words = ["--data.dataset_name", stripes, "--training.max_epochs=1", "--device=cpu"]
    out = tmp_path / "run"
    assert main(["train", *words, "--model.hidden_channels=4", "--out", str(out)]) == 0
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["protocol"].startswith("stripes, 4 levels, 24/3/3")
    assert main(["evaluate", str(out), "--split", "val"]) == 0


def test_a_registered_reader_of_files_takes_a_path(tmp_path):
    @register("blank")
    def read_blank(path):
        return Source(path.name, TensorImageSet(torch.zeros(9, 1, 2, 2).long(), levels=2))

    try:
        assert load_data(f"blank:{tmp_path / 'mine'}").protocol.startswith("mine, 2 levels")
        with pytest.raises(ConfigError, match="write blank:PATH"):
            load_data("blank")
    finally:
        del DATASETS["blank"]
