"""Which labels are drawn, and how what is drawn becomes a file."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from pixelcnn.cli.drawing import (
    PICTURE_SIDE,
    choose_labels,
    draw,
    label_number,
    save_film,
    save_grid,
)
from pixelcnn.errors import ConfigError
from pixelcnn.models import PixelCNN

TINY = {"hidden_channels": 4, "num_residual_blocks": 1, "num_classes": 4, "image_size": 5}
FILTERS = {"temperature": 1.0, "top_k": None, "top_p": None}


@pytest.fixture
def labelled() -> PixelCNN:
    return PixelCNN(num_labels=3, **TINY).eval()


@pytest.mark.parametrize(
    ("labels", "num_samples", "per_label", "expected"),
    [
        ([], 6, None, [0, 0, 1, 1, 2, 2]),
        ([], 2, None, [0, 1]),
        ([], 16, 1, [0, 1, 2]),
        (["dog", "0"], 3, None, [2, 2, 0]),
        (["dog"], 16, 2, [2, 2]),
    ],
)
def test_labels_are_shared_evenly(labelled, labels, num_samples, per_label, expected):
    names = ["ant", "cat", "Dog"]
    cond = choose_labels(labelled, labels, names, num_samples=num_samples, per_label=per_label)
    assert cond.tolist() == expected


def test_a_name_goes_before_a_number():
    assert label_number("1", ["1", "0"]) == 0


@pytest.mark.parametrize("label", ["3", "bird", "-1", ""])
def test_unknown_labels_are_told_with_the_known_ones(label):
    with pytest.raises(ConfigError, match=r"one of ant, cat, Dog, or a number from 0 to 2"):
        label_number(label, ["ant", "cat", "Dog"])


@pytest.mark.parametrize("wish", [{"labels": ["0"]}, {"per_label": 2}])
def test_a_model_without_labels_refuses_them(wish):
    with pytest.raises(ConfigError, match="without labels"):
        draw(PixelCNN(**TINY).eval(), seed=0, **wish)


def test_other_conditions_are_left_to_python():
    with pytest.raises(ConfigError, match="2 attributes per image"):
        draw(PixelCNN(num_attributes=2, **TINY).eval(), seed=0)


def test_rows_are_named_only_when_they_hold_one_label(labelled, tmp_path):
    named = draw(labelled, seed=0, per_label=2, **FILTERS)
    save_grid(named, tmp_path / "named.png", scale=4)
    save_grid(named, tmp_path / "plain.png", scale=4, columns=2)
    with Image.open(tmp_path / "named.png") as one, Image.open(tmp_path / "plain.png") as other:
        assert one.height == other.height == 3 * (5 * 4 + 4)
        assert one.width > other.width == 2 * (5 * 4 + 4)


def test_notes_are_enough_to_draw_the_picture_again(labelled, tmp_path):
    first = draw(labelled, seed=3, num_samples=4, size=(4, 6), **(FILTERS | {"top_k": 2}))
    save_grid(first, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        settings = json.loads(image.text["Comment"])
    labels = [str(label) for label in settings.pop("labels")]
    size = tuple(settings.pop("shape")[1:])
    again = draw(labelled, labels=labels, size=size, **settings)
    assert torch.equal(first.images, again.images)


def test_a_film_ends_with_the_finished_images(labelled, tmp_path):
    drawing = draw(labelled, seed=0, num_samples=4, keep_frames=True, **FILTERS)
    save_film(drawing, tmp_path / "a.gif", scale=2)
    save_grid(drawing, tmp_path / "a.png", scale=2)
    with Image.open(tmp_path / "a.gif") as film, Image.open(tmp_path / "a.png") as still:
        assert film.n_frames == len(drawing.frames) == 5
        assert json.loads(film.info["comment"])["Description"] == "generated image"
        film.seek(film.n_frames - 1)
        assert (np.asarray(film.convert("L")) == np.asarray(still)).all()


@pytest.mark.parametrize(("num_samples", "size"), [(1, (5, 5)), (4, (3, 9)), (16, (40, 40))])
def test_pictures_are_large_enough_to_be_seen(labelled, tmp_path, num_samples, size):
    drawing = draw(labelled, seed=0, num_samples=num_samples, size=size, **FILTERS)
    save_grid(drawing, tmp_path / "a.png")
    save_film(drawing, tmp_path / "a.gif")
    with Image.open(tmp_path / "a.png") as image, Image.open(tmp_path / "a.gif") as film:
        assert PICTURE_SIDE <= max(image.size) < 1.5 * PICTURE_SIDE
        assert film.size == image.size


def test_a_film_larger_than_its_format_allows_is_refused(labelled, tmp_path):
    drawing = draw(labelled, seed=0, num_samples=1, size=(1, 9), **FILTERS)
    with pytest.raises(ConfigError, match=r"at most 65,535 .* got 8,004×72,004.* --scale"):
        save_film(drawing, tmp_path / "a.gif", scale=8_000)
    assert list(tmp_path.iterdir()) == []
