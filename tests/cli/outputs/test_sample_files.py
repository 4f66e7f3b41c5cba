"""The files that hold samples."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from pixelcnn.cli.outputs.sample_files import (
    PICTURE_SIDE,
    sample_with_progress,
    save_animation,
    save_grid,
    save_levels,
)
from pixelcnn.errors import ConfigError
from pixelcnn.models import PixelCNN

TINY = {"hidden_channels": 4, "num_residual_blocks": 1, "num_classes": 4, "image_size": 5}
FOUR = torch.tensor([0, 1, 1, 2])


@pytest.fixture
def labelled() -> PixelCNN:
    return PixelCNN(num_labels=3, **TINY).eval()


def test_rows_are_named_only_when_they_hold_one_label(labelled, tmp_path):
    cond = torch.arange(3).repeat_interleave(2)
    named = sample_with_progress(labelled, 6, cond=cond, per_label=2)
    save_grid(named, tmp_path / "named.png", scale=4)
    save_grid(named, tmp_path / "plain.png", scale=4, columns=2)
    with Image.open(tmp_path / "named.png") as one, Image.open(tmp_path / "plain.png") as other:
        assert one.height == other.height == 3 * (5 * 4 + 4)
        assert one.width > other.width == 2 * (5 * 4 + 4)


def test_notes_are_enough_to_sample_again(labelled, tmp_path):
    first = sample_with_progress(labelled, 4, seed=3, cond=FOUR, shape=(1, 4, 6), top_k=2)
    save_grid(first, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        settings = json.loads(image.text["Comment"])
    cond = torch.tensor(settings.pop("labels"))
    again = sample_with_progress(labelled, cond=cond, **settings)
    assert torch.equal(first.images, again.images)


@pytest.mark.parametrize(
    ("options", "kind", "cond"),
    [
        ({"num_attributes": 2}, "attributes", torch.tensor([[0.0, 0.5], [1.0, 0.0]])),
        ({"num_map_channels": 1}, "maps", torch.rand(2, 1, 5, 5)),
    ],
)
def test_levels_are_saved_with_their_condition(options, kind, cond, tmp_path):
    output = sample_with_progress(PixelCNN(**options, **TINY).eval(), 2, cond=cond)
    save_grid(output, tmp_path / "a.png")
    save_levels(output, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as arrays:
        assert np.array_equal(arrays[kind], cond)
        notes = json.loads(json.loads(str(arrays["notes"]))["Comment"])
    if kind == "attributes":
        assert notes["attributes"] == cond.tolist()
    else:
        assert len(notes["maps_sha256"]) == 64


def test_a_film_ends_with_the_finished_images(labelled, tmp_path):
    output = sample_with_progress(labelled, 4, cond=FOUR, keep_frames=True)
    save_animation(output, tmp_path / "a.gif", scale=2)
    save_grid(output, tmp_path / "a.png", scale=2)
    with Image.open(tmp_path / "a.gif") as animation, Image.open(tmp_path / "a.png") as still:
        assert animation.n_frames == len(output.frames) == 5
        assert json.loads(animation.info["comment"])["Description"] == "generated image"
        animation.seek(animation.n_frames - 1)
        assert (np.asarray(animation.convert("L")) == np.asarray(still)).all()


@pytest.mark.parametrize(("num_samples", "size"), [(1, (5, 5)), (4, (3, 9)), (16, (40, 40))])
def test_pictures_are_large_enough_to_be_seen(labelled, tmp_path, num_samples, size):
    cond = torch.zeros(num_samples, dtype=torch.int64)
    output = sample_with_progress(labelled, num_samples, cond=cond, shape=(1, *size))
    save_grid(output, tmp_path / "a.png")
    save_animation(output, tmp_path / "a.gif")
    with Image.open(tmp_path / "a.png") as image, Image.open(tmp_path / "a.gif") as animation:
        assert PICTURE_SIDE <= max(image.size) < 1.5 * PICTURE_SIDE
        assert animation.size == image.size


def test_a_film_larger_than_its_format_allows_is_refused(labelled, tmp_path):
    output = sample_with_progress(labelled, 1, cond=FOUR[:1], shape=(1, 1, 9))
    with pytest.raises(ConfigError, match=r"at most 65,535 .* got 8,004×72,004.* --scale"):
        save_animation(output, tmp_path / "a.gif", scale=8_000)
    assert list(tmp_path.iterdir()) == []
