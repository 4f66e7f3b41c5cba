"""Figures of Matplotlib without a window system and without global state."""

import io
from os import PathLike

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from pixelcnn.files import atomic_write
from pixelcnn.logger import printable

DPI = 120
UNRELIABLE = "#c23b22"  # colour of estimates whose diagnostics warn


def new_figure(width: float, height: float) -> Figure:
    """An empty figure. Sizes in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def as_written(name: str) -> str:
    """Escapes the name of a run, label or file for a title or legend of Matplotlib.

    Without it, dollars enclose a formula, a legend leaves out names that begin with an underscore,
    and control characters have no picture.

    Example:
        >>> as_written("5$")
        '5\\\\$'
    """
    text = printable(name).replace("$", r"\$")
    return f"\u200a{text}" if text.startswith("_") else text


def figure_png(figure: Figure) -> bytes:
    """A figure as the content of a PNG file."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=DPI)
    return file.getvalue()


def figure_pixels(figure: Figure) -> np.ndarray:
    """A figure as pixels (height, width, 3), from 0 to 255."""
    with Image.open(io.BytesIO(figure_png(figure))) as image:
        return np.asarray(image.convert("RGB"))


def save_figure(figure: Figure, path: str | PathLike[str]) -> None:
    """Writes a figure as PNG, whole or not at all.

    Raises:
        OutputError: If the file cannot be written.
    """
    with atomic_write(path) as temporary:
        figure.savefig(temporary, format="png", dpi=DPI)
