"""Choosing an image: from the test set, a file, or a canvas."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st
import torch
from torch import Tensor

from pixelcnn.app.models import Choice
from pixelcnn.app.widgets.canvas import paint
from pixelcnn.app.widgets.conditions import condition_input, fitted
from pixelcnn.app.widgets.controls import number_input, remember
from pixelcnn.data import ImageSet
from pixelcnn.data.conditions import Conditions
from pixelcnn.data.files.uploads import MAX_BYTES, read_upload
from pixelcnn.errors import DataError
from pixelcnn.nn import Condition
from pixelcnn.runs import config_of
from pixelcnn.spec import ImageSpec

SOURCES = ["Test set", "File", "Canvas"]
ENDINGS = ["png", "jpg", "jpeg", "webp", "bmp", "gif", "tif", "tiff", "ppm", "pgm"]


@dataclass(frozen=True)
class ChosenImage:
    """An image to query.

    Attributes:
        x: Levels. (1, C, H, W), int64.
        name: A unique name.
        title: Its name on the page.
        cond: Its own condition, if it is known and the model takes it. (1, …); or None.
    """

    x: Tensor
    name: str
    title: str
    cond: Tensor | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(H, W)."""
        return self.x.shape[2], self.x.shape[3]


def image_input(choice: Choice, key: str) -> ChosenImage | None:
    """The image that is chosen; None as long as none is.

    Raises:
        DataError: If the test set or a file cannot be read.
        ConfigError: If nothing says which test set the model is for.
    """
    source = st.radio(
        "Image from", SOURCES, horizontal=True, key=remember(f"{key}.source", SOURCES[0])
    )
    if source == "Test set":
        return _of_test_set(choice, key)
    return (_of_file if source == "File" else _of_canvas)(choice.spec, key)


def _of_test_set(choice: Choice, key: str) -> ChosenImage:
    images = test_images(str(choice.file), choice.file.stat().st_mtime_ns)
    model = choice.model
    if (images.spec.channels, images.spec.levels) != (model.in_channels, model.num_classes):
        raise DataError(
            f"The test images have {images.spec.channels} channels and {images.spec.levels} "
            f"levels, the model {model.in_channels} and {model.num_classes}: choose a file."
        )
    number = number_input("Number", 0, len(images) - 1, 0, f"{key}.number")
    taken = images.take(torch.tensor([number]))
    x = next(iter(taken.read([torch.tensor([0])]))).long()
    own = _own_condition(model.condition, taken.conditions)
    return ChosenImage(x, f"test-{number}", f"test image {number}", own)


def _own_condition(condition: Condition, known: Conditions) -> Tensor | None:
    """The condition of an image, if it fits the model; otherwise None."""
    own = known.of(condition.kind)
    if own is None:
        return None
    is_taken = (
        own < condition.count if condition.kind == "labels" else own.shape[1] == condition.count
    )
    return own if bool(torch.as_tensor(is_taken).all()) else None


def image_condition_input(picked: ChosenImage, choice: Choice, key: str) -> Tensor | None:
    """Input for the condition of an image: its own at first. (1, …); or None."""
    key = f"{key}.{choice.name}"
    if picked.cond is not None:  # of this image alone; else what is chosen stays for the next
        key = f"{key}.{picked.name}"
    cond = fitted(condition_input(choice.model, key, own=picked.cond), picked.size)
    return None if cond is None else cond[:1]


@st.cache_resource(max_entries=4, show_spinner="Reading the test images …")
def test_images(file: str, stamp: int) -> ImageSet:
    """The test images of the run around a model file, read once for all visitors."""
    # Here, because it brings Lightning, which the page does without until then.
    from pixelcnn.config.images import load_images

    return load_images(config_of(Path(file))).test


def _of_file(spec: ImageSpec, key: str) -> ChosenImage | None:
    file = st.file_uploader(
        f"Image file, at most {MAX_BYTES // 2**20} MB", type=ENDINGS, key=f"file.{key}"
    )
    if file is None:
        return None
    x = read_upload(file.getvalue(), file.name, spec)
    return ChosenImage(x, f"file-{file.file_id}", "the file")


def _of_canvas(spec: ImageSpec, key: str) -> ChosenImage | None:
    left, right = st.columns(2)
    with left:
        first, most = max(0.5, spec.height / 20 // 0.25 * 0.25), max(2.0, spec.height / 8)
        wide = remember(f"{key}.brush", first, within=(0.5, most))
        brush = st.slider("Brush", 0.5, most, step=0.25, key=wide)
    with right:
        ink = _ink_input(spec, key)
    name = f"canvas.{key}.{spec.channels}.{spec.height}.{spec.width}"
    x = paint(spec, name, brush=brush, ink=ink)
    if x is None:
        st.caption("Paint with the mouse or a finger.")
        return None
    return ChosenImage(x, f"canvas-{hash(x.numpy().tobytes())}", "the painting")


def _ink_input(spec: ImageSpec, key: str) -> tuple[int, int, int]:
    if spec.channels != 3:
        share = st.slider("Ink", 0.0, 1.0, step=0.05, key=remember(f"{key}.ink", 1.0))
        grey = round(255 * share)
        return grey, grey, grey
    colour = str(st.color_picker("Ink", key=remember(f"{key}.colour", "#ffffff")))
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue
