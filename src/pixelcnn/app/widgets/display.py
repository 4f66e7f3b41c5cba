"""Images, figures and errors on the page."""

import re
import string
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

import streamlit as st
import torch
from einops import rearrange
from torch import Tensor

from pixelcnn.errors import PixelCNNError
from pixelcnn.plots import as_image, image_grid, screen_scale

if TYPE_CHECKING:  # charts bring it where there are some: the first page shows none
    from matplotlib.figure import Figure

SIDE = 96
"""Screen pixels of the longer side of one image, at least: browsers blur what they enlarge."""

LARGE = 160

INCH = 128
"""Screen pixels of an inch of a figure, at most: letters of ten points are 18 pixels high then."""

CURVES = (5.0, 4.4)
"""Inches of curves by epoch."""

# Matplotlib shares its font cache among figures, and so among visitors.
_RENDERING = threading.Lock()


@contextmanager
def showing_errors() -> Iterator[None]:
    """Shows errors of the library as messages; the rest of the page stays."""
    try:
        yield
    except PixelCNNError as error:
        show_error(error)
    except (MemoryError, torch.OutOfMemoryError):
        st.error("Out of memory: choose fewer or smaller images.", icon=":material/error:")


def show_error(error: Exception) -> None:
    """Shows an error, with its backticks as code."""
    words = str(error).split("`")
    if len(words) % 2 == 0:  # a name has one of its own
        words = ["`".join(words)]
    shown = "`".join(text if at % 2 else plain(text) for at, text in enumerate(words))
    st.error(shown, icon=":material/error:")


def show_images(x: Tensor, levels: int, captions: Sequence[str], *, side: int = SIDE) -> None:
    """Images (N, C, H, W) side by side, as many as fit, each with a caption."""
    scale = screen_scale(x.shape[2], x.shape[3], side=side)
    with st.container(horizontal=True, gap="small"):
        for each, caption in zip(x, captions, strict=True):
            picture = as_image(image_grid(each[None], levels, scale=scale, pad=0))
            st.image(picture, caption=plain(caption) or None, width=max(picture.width, side))


def show_figure(figure: "Figure", alt: str, size: tuple[float, float] | None = None) -> None:
    """Shows a figure in its size in inches; `alt` describes it.

    Args:
        figure: With letters in points, which stay legible on a phone if there are few inches.
        alt: What it shows, written below it.
        size: Width and height in inches, instead of its own.
    """
    if size is not None:
        figure.set_size_inches(*size)
    file = BytesIO()
    with _RENDERING:
        figure.savefig(file, format="png", dpi=INCH)
    # In a container, which a narrower screen makes narrower; an image it would cut.
    with st.container(width=round(figure.get_figwidth() * INCH)):
        st.image(file.getvalue(), width="stretch", caption=alt)


def heat_tile(values: Tensor, top: float) -> Tensor:
    """Numbers as colours: black for 0, brightest from `top` on. (H, W) → (3, H, W), 256 levels."""
    # Here, because it imports Matplotlib, which the first page does not need.
    from matplotlib import colormaps

    from pixelcnn.charts.bits import COLOURS

    share = (values / (top or 1.0)).clamp(max=1)
    colours = colormaps[COLOURS](share.numpy(), bytes=True)[:, :, :3]
    return rearrange(torch.from_numpy(colours).long(), "h w c -> c h w")


def format_seconds(seconds: float) -> str:
    """A time as text.

    Example:
        >>> format_seconds(0.234), format_seconds(42.4), format_seconds(200)
        ('0.23 s', '42 s', '3 min 20 s')
    """
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


def format_metric(value: Any) -> str:
    """A metric of metrics.json as text.

    Example:
        >>> format_metric({"mean": 0.123456, "range": [1, None]})
        'mean 0.12346; range 1 … –'
    """
    if isinstance(value, float):
        return f"{value:.5g}"
    if isinstance(value, list):
        return " … ".join(map(format_metric, value))
    if isinstance(value, dict):
        return "; ".join(f"{name} {format_metric(each)}" for name, each in value.items())
    return "–" if value is None else str(value)


def plain(text: str) -> str:
    """Text of a file or a name, without the marks that Markdown would act on.

    Example:
        >>> print(plain("*.png ~ $5"))
        \\*\\.png \\~ \\$5
    """
    return "".join(f"\\{sign}" if sign in string.punctuation else sign for sign in str(text))


def as_code(name: str) -> str:
    """A name as code in Markdown, whatever is in it.

    Example:
        >>> as_code("mnist-256"), as_code("a`b")
        ('`mnist-256`', '`` a`b ``')
    """
    if "`" not in name:
        return f"`{name}`"
    longest = max(map(len, re.findall("`+", name)))
    fence = "`" * (longest + 1)
    return f"{fence} {name} {fence}"
