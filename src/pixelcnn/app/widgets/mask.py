"""Choosing the unknown pixels of an image."""

import streamlit as st
from torch import Tensor

from pixelcnn.app.widgets.canvas import erase
from pixelcnn.app.widgets.controls import remember
from pixelcnn.app.widgets.image_picker import ChosenImage
from pixelcnn.inference import known_mask

SIDES = ["bottom", "top", "left", "right", "center", "random"]
PARTS = [*SIDES, "rectangle", "brush"]


def mask_input(picked: ChosenImage, levels: int, key: str, *, seed: int = 0) -> Tensor:
    """Inputs for the unknown pixels.

    Returns:
        True where known. (C, H, W), bool.
    """
    _, channels, height, width = picked.x.shape
    shape = (channels, height, width)
    part = st.selectbox("Erase", PARTS, key=remember(f"{key}.part", PARTS[0]))
    if part in SIDES:
        share = st.slider("Share", 0.1, 1.0, step=0.05, key=remember(f"{key}.share", 0.5))
        return known_mask(f"{part}:{share:g}", shape, seed=seed)
    if part == "rectangle":
        first, last = _range_input("Rows", height, f"{key}.rows.{height}")
        left, right = _range_input("Columns", width, f"{key}.columns.{width}")
        return known_mask(f"{first}:{last},{left}:{right}", shape)
    most = max(2.0, height / 6)
    wide = remember(f"{key}.brush", 1.0, within=(0.5, most))
    brush = st.slider("Brush", 0.5, most, step=0.5, key=wide)
    erased = erase(picked.x, levels, f"erase.{key}", brush=brush)
    return (~erased).expand(shape)


def _range_input(label: str, size: int, key: str) -> tuple[int, int]:
    """Start and end of a range of at least one."""
    if size == 1:
        return 0, 1
    middle = (size // 4, max(size // 4 + 1, 3 * size // 4))
    # The session's value has two ends, so the slider has; type checkers cannot see that.
    st.slider(label, 0, size, key=remember(key, middle))
    first, last = st.session_state[key]
    return min(first, size - 1), max(last, min(first, size - 1) + 1)
