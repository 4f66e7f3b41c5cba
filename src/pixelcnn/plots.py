"""Figures from arrays: grids of images, and curves of training. Nothing is computed here."""

import json
import math
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

import numpy as np
from einops import rearrange, repeat
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from pixelcnn.errors import ConfigError, ShapeError
from pixelcnn.files import atomic_write
from pixelcnn.spec import check_levels, requantise
from pixelcnn.version import __version__

Grid = NDArray[np.uint8]

PAPER = 255  # white, between the images and behind their names
INK = 40
COLOURS = {"train_nll": "#9a9a9a", "val_nll": "#1f6fb4"}
NAMES = {"train_nll": "training", "val_nll": "validation"}


def image_grid(
    x: Tensor, levels: int, *, columns: int | None = None, scale: int = 1, pad: int = 2
) -> Grid:
    """Lays images out in rows, from the top left, as 8-bit grey or RGB.

    One channel is shown as grey and three as RGB. Any other number is shown side by side in grey.

    Args:
        x: Levels in [0, levels). Shape: (N, C, H, W).
        levels: Number of levels K; 0 becomes black, K-1 white.
        columns: Images in a row; as square as possible by default.
        scale: Screen pixels per pixel along each side.
        pad: White screen pixels around each image.

    Returns:
        The picture. Shape: (rows, columns, 1 or 3), uint8.

    Raises:
        ShapeError: If `x` is not (N, C, H, W) of levels, or holds no image.
        ConfigError: If `columns` or `scale` is below 1, or `pad` below 0.

    Example:
        >>> import torch
        >>> image_grid(torch.tensor([0, 1, 2]).reshape(3, 1, 1, 1), 3, columns=3, pad=0)[:, :, 0]
        array([[  0, 128, 255]], dtype=uint8)
    """
    if x.ndim != 4 or len(x) == 0:
        raise ShapeError(f"A grid needs images (N, C, H, W) with N > 0, got {tuple(x.shape)}.")
    check_levels(x, levels)
    columns = math.ceil(math.sqrt(len(x))) if columns is None else columns
    if columns < 1 or scale < 1 or pad < 0:
        raise ConfigError(
            f"`columns` and `scale` must be at least 1 and `pad` at least 0, "
            f"got {columns}, {scale} and {pad}."
        )
    pixels = requantise(x.cpu(), levels, to=256).numpy().astype(np.uint8)
    if pixels.shape[1] not in (1, 3):
        pixels = rearrange(pixels, "n c h w -> n 1 h (c w)")
    pixels = repeat(pixels, "n c h w -> n c (h h2) (w w2)", h2=scale, w2=scale)
    around = [(0, -len(x) % columns), (0, 0), (pad, pad), (pad, pad)]
    pixels = np.pad(pixels, around, constant_values=PAPER)
    return rearrange(pixels, "(r k) c h w -> (r h) (k w) c", k=columns)


def name_rows(grid: Grid, names: Sequence[str]) -> Grid:
    """Writes one name to the left of each row of a grid; the rows are equally high.

    Args:
        grid: The picture. Shape: (rows, columns, 1 or 3), uint8.
        names: One name a row, from the top.

    Returns:
        The wider picture, of the same height and channels.
    """
    height = grid.shape[0] // len(names)
    font = ImageFont.load_default(size=max(8, min(24, height // 2)))
    width = math.ceil(max(font.getlength(name) for name in names)) + 12
    margin = Image.new("L", (width, grid.shape[0]), PAPER)
    draw = ImageDraw.Draw(margin)
    for row, name in enumerate(names):
        at = (width - 8, row * height + height / 2)
        draw.text(at, name, fill=INK, font=font, anchor="rm")
    names_only = repeat(np.asarray(margin), "h w -> h w c", c=grid.shape[2])
    return np.concatenate([names_only, grid], axis=1)


def screen_scale(height: int, width: int, *, side: int = 48) -> int:
    """How often to enlarge small images so that their longer side is at least `side`.

    Example:
        >>> screen_scale(8, 8), screen_scale(28, 28), screen_scale(512, 768)
        (6, 2, 1)
    """
    return math.ceil(side / min(side, max(height, width)))


def generation_notes(*, fingerprint: str, settings: Mapping[str, Any]) -> dict[str, str]:
    """Notes for `save_png` that say how a drawn picture was made, so that it can be made again.

    Args:
        fingerprint: Of the model's weights, see `pixelcnn.checkpoint.fingerprint`.
        settings: What decided the draw, in JSON types: seed, temperature, labels and so on.

    Returns:
        Text by PNG keyword.

    Example:
        >>> notes = generation_notes(fingerprint="3f2a", settings={"seed": 0})
        >>> notes["Description"], notes["Source"], notes["Comment"]
        ('generated image', 'model 3f2a', '{"seed": 0}')
    """
    return {
        "Description": "generated image",
        "Software": f"pixelcnn {__version__}",
        "Source": f"model {fingerprint}",
        "Comment": json.dumps(settings, ensure_ascii=False),
    }


def save_png(
    path: str | PathLike[str], grid: Grid, *, text: Mapping[str, str] | None = None
) -> None:
    """Writes a picture with notes in its text chunks, whole or not at all.

    Args:
        path: Where to write it.
        grid: The picture. Shape: (rows, columns, 1 or 3), uint8.
        text: Notes by keyword, of at most 79 characters each as PNG demands.

    Raises:
        OutputError: If the file cannot be written.
    """
    notes = PngInfo()
    for key, value in (text or {}).items():
        notes.add_text(key, value)
    with atomic_write(path) as temporary:
        as_image(grid).save(temporary, format="PNG", pnginfo=notes, optimize=True)


def as_image(grid: Grid) -> Image.Image:
    """The picture as Pillow has it, grey or RGB."""
    return Image.fromarray(grid[:, :, 0] if grid.shape[2] == 1 else grid)


def plot_curves(
    history: Sequence[Mapping[str, Any]],
    path: str | PathLike[str],
    *,
    num_dims: int | None = None,
) -> None:
    """Draws training and validation NLL by epoch into a PNG, the best epoch marked.

    Args:
        history: One entry per epoch: `epoch`, `train_nll` and, where there is a validation
            split, `val_nll`, both in nats per image.
        path: Where to write it.
        num_dims: Sub-pixels in an image; adds an axis in bits per dimension.

    Raises:
        OutputError: If the file cannot be written.
    """
    figure = curves_figure(history, num_dims=num_dims)
    with atomic_write(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)


def curves_figure(history: Sequence[Mapping[str, Any]], *, num_dims: int | None = None) -> Figure:
    """The figure that `plot_curves` saves. No window system and no global state is used."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for key, colour in COLOURS.items():
        points = [(entry["epoch"], entry[key]) for entry in history if _is_number(entry.get(key))]
        if points:
            axes.plot(*zip(*points, strict=True), ".-", color=colour, label=NAMES[key])
            best = min(points, key=lambda point: point[1])
    if axes.lines:
        _leave_out_the_start(axes, len(history) // 20)
        axes.plot(*best, "o", color="#c23b22", label=f"best: {best[1]:.2f} at epoch {best[0]}")
        axes.legend(frameon=False)
    axes.set(xlabel="epoch", ylabel="NLL (nats per image)")
    # With a single epoch there is room for one whole number only.
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.spines[["top", "right"]].set_visible(False)
    if num_dims is not None:
        nats = num_dims * math.log(2)
        there, back = (lambda y: np.divide(y, nats)), (lambda y: np.multiply(y, nats))
        bits = axes.secondary_yaxis("right", functions=(there, back))
        bits.set_ylabel("bits per dimension")
    return figure


def _leave_out_the_start(axes: Axes, num_epochs: int) -> None:
    """Fits the height to later epochs: the first fall so far that the rest would look flat."""
    if num_epochs:
        later = [y for line in axes.lines for y in np.asarray(line.get_ydata())[num_epochs:]]
        margin = 0.05 * (max(later) - min(later))
        axes.set_ylim(min(later) - margin, max(later) + margin)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
