"""Putting pictures, figures and errors on the page."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING

import streamlit as st
from torch import Tensor

from pixelcnn.errors import PixelCNNError
from pixelcnn.plots import as_image, image_grid, screen_scale

if TYPE_CHECKING:  # charts bring it where there are some: the first page shows none
    from matplotlib.figure import Figure

SIDE = 96
"""Screen pixels of the longer side of one image, at least: browsers blur what they enlarge."""

LARGE = 160

# Matplotlib shares its font cache among figures, and so among visitors.
_RENDERING = threading.Lock()


@contextmanager
def telling() -> Iterator[None]:
    """Shows what the library refuses in its own words; whatever stands on the page stays."""
    try:
        yield
    except PixelCNNError as error:
        st.error(str(error), icon=":material/error:")
    except MemoryError:
        st.error("Out of memory: ask for fewer or smaller images.", icon=":material/error:")


def show_images(x: Tensor, levels: int, captions: Sequence[str], *, side: int = SIDE) -> None:
    """Images (N, C, H, W) side by side, as many as fit, each with a caption.

    Args:
        x: Levels.
        levels: Number of levels K.
        captions: One for each image.
        side: Screen pixels of the longer side of an image, at least.
    """
    scale = screen_scale(x.shape[2], x.shape[3], side=side)
    with st.container(horizontal=True, gap="small"):
        for each, caption in zip(x, captions, strict=True):
            picture = as_image(image_grid(each[None], levels, scale=scale, pad=0))
            st.image(picture, caption=caption or None, width=max(picture.width, side))


def show_figure(figure: "Figure", alt: str) -> None:
    """A figure as wide as the place it stands in; `alt` says what it shows."""
    file = BytesIO()
    with _RENDERING:
        figure.savefig(file, format="png", dpi=144)
    st.image(file.getvalue(), width="stretch", caption=alt)


def in_words(seconds: float) -> str:
    """A time for people.

    Example:
        >>> in_words(0.234), in_words(42.4), in_words(200)
        ('0.23 s', '42 s', '3 min 20 s')
    """
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
