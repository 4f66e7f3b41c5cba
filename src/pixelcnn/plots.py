"""Image grids, frame strips and animations, as PNG and GIF."""

import json
import math
from collections.abc import Mapping, Sequence
from io import BytesIO
from os import PathLike
from typing import Any

import numpy as np
from einops import rearrange, repeat
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
UNKNOWN = (0.45, 0.62, 0.85)  # a blue that no grey image holds
TOUCH = 0.25


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


def frame_strip(frames: Tensor, levels: int, *, scale: int = 1, pad: int = 2) -> Grid:
    """Lays out an animation as a grid: a row for each image, time from left to right.

    Args:
        frames: Levels in [0, levels). Shape: (T, N, C, H, W), such as N chains at T times.
        levels: Number of levels K.
        scale: Screen pixels per pixel along each side.
        pad: White screen pixels around each image.

    Returns:
        The picture. Shape: (rows, columns, 1 or 3), uint8.

    Raises:
        ShapeError, ConfigError: As `image_grid`.

    Example:
        >>> import torch
        >>> frames = torch.tensor([[0, 1], [1, 1], [0, 1]]).reshape(3, 2, 1, 1, 1)
        >>> frame_strip(frames, 2, pad=0)[:, :, 0]
        array([[  0, 255,   0],
               [255, 255, 255]], dtype=uint8)
    """
    if frames.ndim != 5 or frames.numel() == 0:
        raise ShapeError(f"A frame strip needs images (T, N, C, H, W), got {tuple(frames.shape)}.")
    images = rearrange(frames, "t n c h w -> (n t) c h w")
    return image_grid(images, levels, columns=len(frames), scale=scale, pad=pad)


def mark_unknown(mean: Tensor, known: Tensor, levels: int, *, touch: float = TOUCH) -> Tensor:
    """Colours of expected levels, with a touch of blue where they are unknown.

    Args:
        mean: From 0 to K - 1. Shape: (…, C, H, W).
        known: True where known. Shape: what broadcasts to that of `mean`.
        levels: Number of levels K.
        touch: Share of blue; 1 hides unknown pixels.

    Returns:
        Images of 256 levels, for `image_grid` and `frame_strip`. Shape: (…, 3, H, W), int64.

    Example:
        >>> import torch
        >>> mark_unknown(torch.ones(1, 1, 2), torch.tensor([[[True, False]]]), 2)[:, 0]
        tensor([[255, 220],
                [255, 231],
                [255, 245]])
    """
    colours = mean.double() / (levels - 1)
    if mean.shape[-3] != 3:
        colours = colours.mean(-3, keepdim=True)
        known = known.all(-3, keepdim=True)
    blue = colours.new_tensor(UNKNOWN)[:, None, None]
    colours = colours.where(known, (1 - touch) * colours + touch * blue)
    return (colours.clamp(0, 1) * 255).round().long()


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
    """The factor that enlarges small images until their longer side is at least `side`.

    Example:
        >>> screen_scale(8, 8), screen_scale(28, 28), screen_scale(512, 768)
        (6, 2, 1)
    """
    return math.ceil(side / min(side, max(height, width)))


def animation_scale(height: int, width: int, *, columns: int, wide: int = 400) -> int:
    """The factor that enlarges images of an animation, of which `columns` lie side by side.

    It makes the animation at least `wide` screen pixels wide, unless it were taller than that.

    Example:
        >>> animation_scale(8, 8, columns=4), animation_scale(28, 28, columns=8)
        (13, 2)
    """
    scale = min(math.ceil(wide / (columns * width)), math.ceil(wide / height))
    return max(screen_scale(height, width), scale)


def generation_notes(*, fingerprint: str, settings: Mapping[str, Any]) -> dict[str, str]:
    """Notes for `save_png` by which samples can be reproduced.

    Args:
        fingerprint: Of the model's weights, see `pixelcnn.checkpoint.fingerprint`.
        settings: Of sampling, in JSON types: seed, temperature, labels and so on.

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
    with atomic_write(path) as temporary:
        temporary.write_bytes(png_bytes(grid, text=text))


def png_bytes(grid: Grid, *, text: Mapping[str, str] | None = None) -> bytes:
    """What `save_png` writes.

    Example:
        >>> png_bytes(np.zeros((1, 1, 1), np.uint8), text={"Title": "black"})[:4]
        b'\\x89PNG'
    """
    notes = PngInfo()
    for key, value in (text or {}).items():
        notes.add_text(key, value)
    file = BytesIO()
    as_image(grid).save(file, format="PNG", pnginfo=notes, optimize=True)
    return file.getvalue()


def save_gif(path: str | PathLike[str], frames: Sequence[Grid], *, milliseconds: int = 100) -> None:
    """Writes pictures as an animation that repeats, whole or not at all.

    Args:
        path: Where to write it.
        frames: The pictures, all of one shape (rows, columns, 1 or 3), uint8.
        milliseconds: Duration of each, in multiples of 10; the last one stays a second longer.

    Raises:
        ConfigError: If there is no picture, or `milliseconds` is below 10.
        OutputError: If the file cannot be written.
    """
    content = gif_bytes(frames, milliseconds=milliseconds)
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)


def gif_bytes(frames: Sequence[Grid], *, milliseconds: int = 100) -> bytes:
    """What `save_gif` writes; raises the same `ConfigError`.

    Example:
        >>> gif_bytes([np.zeros((1, 1, 1), np.uint8)])[:3]
        b'GIF'
    """
    if not frames or milliseconds < 10:
        raise ConfigError(
            f"A GIF needs at least one frame, each shown for at least 10 `milliseconds`, "
            f"got {len(frames)} and {milliseconds}."
        )
    first, *others = [as_image(frame) for frame in frames]
    times = [milliseconds] * len(others) + [milliseconds + 1000]
    file = BytesIO()
    first.save(file, format="GIF", save_all=True, append_images=others, duration=times, loop=0)
    return file.getvalue()


def as_image(grid: Grid) -> Image.Image:
    """The picture as Pillow has it, grey or RGB."""
    return Image.fromarray(grid[:, :, 0] if grid.shape[2] == 1 else grid)
