"""`scripts/codes.py` turns images into codes that a recipe models, and codes into a picture."""

import numpy as np
import pytest
import torch
from PIL import Image

from pixelcnn.cli import main as pixelcnn
from pixelcnn.data import load_data
from pixelcnn.spec import to_unit
from scripts import codes


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A file of 4×4 codes of the digits: patches of 2×2 pixels, 16 of them."""
    path = tmp_path_factory.mktemp("codes") / "new" / "codes.npz"
    words = ["make", "digits", "--patch=2", "--num-codes=16", f"--out={path}"]
    assert codes.main(words) == 0
    return path


def pixels_of(picture):
    """A grey picture. (height, width)."""
    with Image.open(picture) as image:
        return np.asarray(image)


def test_codes_are_a_data_set_with_the_splits_and_labels_of_the_images(digits):
    images, found = load_data("digits"), load_data("npz", data_root=digits)
    assert found.spec.shape == (1, 4, 4)
    assert found.spec.levels == 16
    assert found.label_names == images.label_names
    for split in ("train", "val", "test"):
        assert torch.equal(getattr(found, split).labels, getattr(images, split).labels)


def test_each_patch_has_the_number_of_the_nearest_in_the_codebook(digits):
    with np.load(digits) as arrays:
        codebook, x = torch.from_numpy(arrays["codebook"]), torch.from_numpy(arrays["x_test"])
    unit = to_unit(load_data("digits").test.images, 17)
    for row in range(4):
        for column in range(4):
            patch = unit[:, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
            distance = (patch[:, None] - codebook).square().sum((2, 3, 4))
            own = distance.gather(1, x[:, row, column, None].long())[:, 0]
            torch.testing.assert_close(own, distance.amin(1), rtol=0, atol=1e-5)


def test_rebuilt_images_are_near_and_nearer_with_more_codes():
    images = load_data("digits")
    losses = []
    for num_codes in (2, 16, 128):
        codebook = codes.learn_codebook(images.train, num_codes, 2, seed=0)
        losses.append(codes.loss_of(images.test, codes.encode(images.test, codebook), codebook))
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 30  # of 255


def test_the_same_seed_makes_the_same_codebook():
    images = load_data("digits", max_samples=200).train
    books = [codes.learn_codebook(images, 8, 4, seed=seed) for seed in (1, 1, 2)]
    assert torch.equal(books[0], books[1])
    assert not torch.equal(books[0], books[2])


def test_every_code_of_images_with_one_blank_patch_after_another_is_in_use():
    images = load_data("digits", max_samples=200).train
    images.images[:, :, :, :4] = 0
    codebook = codes.learn_codebook(images, 16, 4, seed=0)
    assert len(codes.encode(images, codebook).unique()) == 16


def test_codes_are_trained_on_sampled_and_decoded(digits, tmp_path, capsys):
    run, samples, picture = (tmp_path / name for name in ("run", "samples.npz", "samples.png"))
    small = [
        *("--model.hidden_channels=8", "--model.num_layers=2", "--model.num_classes=16"),
        *("--model.level_embedding_dim=3", "--training.max_epochs=1", "--training.warmup_steps=0"),
        *("--training.compile=false", "--data.max_samples=40", "--sampling.per_label=1"),
    ]
    words = ["train", "--preset=codes", f"--data.data_root={digits}", f"--out={run}"]
    assert pixelcnn([*words, "--device=cpu", *small]) == 0
    assert (
        pixelcnn(["sample", str(run), "--num-samples=6", f"--out={samples}", "--device=cpu"]) == 0
    )
    capsys.readouterr()
    words = ["decode", str(samples), f"--codebook={digits}", f"--out={picture}", "--columns=3"]
    assert codes.main(words) == 0
    assert "6 images" in capsys.readouterr().out
    side = 6 * 8 + 4  # pixels six times as large on the screen, and a margin
    assert pixels_of(picture).shape == (2 * side, 3 * side)


def test_codes_of_test_images_decode_to_what_they_stand_for(digits, tmp_path):
    picture = tmp_path / "test.png"
    assert codes.main(["decode", str(digits), f"--codebook={digits}", f"--out={picture}"]) == 0
    with np.load(digits) as arrays:
        codebook, first = arrays["codebook"], arrays["x_test"][0]
    shown = pixels_of(picture)[2:50:6, 2:50:6]
    assert shown[0, 0] == round(255 * codebook[first[0, 0], 0, 0, 0])
    assert shown[7, 6] == round(255 * codebook[first[3, 3], 0, 1, 0])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["make", "digits", "--patch=3"], "`--patch` must divide images of 8×8 pixels, got 3"),
        (["make", "digits", "--num-codes=1"], "`--num-codes` must be from 2 to "),
        (["make", "digit"], "`dataset_name` must be one of"),
        (["decode", "none.npz"], "no file none.npz"),
    ],
)
def test_wrong_words_are_one_line(words, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez(tmp_path / "book.npz", codebook=np.zeros((2, 1, 1, 1), np.float32))
    extra = ["--codebook=book.npz"] if words[0] == "decode" else ["--max-samples=20"]
    assert codes.main([*words, *extra]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_codebook_of_other_codes_is_refused(digits, tmp_path, capsys):
    samples = tmp_path / "samples.npz"
    np.savez(samples, x=np.full((1, 1, 2, 2), 16))
    assert codes.main(["decode", str(samples), f"--codebook={digits}"]) == 2
    assert "levels in [0, 16), got values from 16 to 16" in capsys.readouterr().err
    np.savez(samples, x=np.zeros((1, 1, 2, 2), int), levels=8)
    assert codes.main(["decode", str(samples), f"--codebook={digits}"]) == 2
    assert "8 levels" in capsys.readouterr().err
    np.savez(samples, y=1)
    assert codes.main(["decode", str(samples), f"--codebook={digits}"]) == 2
    assert "must hold `x` or `x_test`, got y" in capsys.readouterr().err
