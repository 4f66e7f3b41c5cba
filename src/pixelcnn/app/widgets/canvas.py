"""A picture under a finger or a mouse. Its browser half is canvas.js."""

import base64
import binascii
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
import torch
from einops import rearrange
from torch import Tensor

from pixelcnn.errors import DataError
from pixelcnn.plots import image_grid
from pixelcnn.spec import ImageSpec, requantise

HTML = """
<div class="frame"><canvas></canvas><div class="site" hidden></div></div><button>Clear</button>
"""
CSS = """
.frame { position: relative; line-height: 0; }
canvas { width: 100%; image-rendering: pixelated; cursor: crosshair;
  border: 1px solid var(--st-border-color, #ccc); box-sizing: border-box; }
.site { position: absolute; box-sizing: border-box; outline: 2px solid #ff4b4b;
  pointer-events: none; }
button { margin-top: 0.5rem; padding: 0.25rem 0.75rem; font: inherit; cursor: pointer;
  color: var(--st-text-color); background: var(--st-background-color);
  border: 1px solid var(--st-border-color, #ccc); border-radius: 0.5rem; }
"""
SIDE = 320


def paint(spec: ImageSpec, key: str, *, brush: float, ink: tuple[int, int, int]) -> Tensor | None:
    """A black picture to paint on.

    Args:
        spec: Shape and levels of the images wanted; grey ones keep the mean of the ink's colours.
        key: Where the browser keeps the picture.
        brush: Radius in pixels.
        ink: Red, green and blue, from 0 to 255.

    Returns:
        Levels, (1, C, H, W), int64; None until something is painted.

    Raises:
        DataError: If the browser sends what is no such picture.
    """
    size = (spec.height, spec.width)
    black = np.zeros((*size, 3), np.uint8)
    found = _mount("paint", black, key, brush=brush, ink=list(ink))
    if not found:
        return None
    pixels = torch.from_numpy(_bytes(found, (*size, 3))).double()
    if spec.channels != 3:
        pixels = pixels.mean(2, keepdim=True).expand(*size, spec.channels)
    levels = requantise(pixels.round().long(), 256, to=spec.levels)
    return rearrange(levels, "h w c -> 1 c h w")


def erase(x: Tensor, levels: int, key: str, *, brush: float) -> Tensor:
    """An image (1, C, H, W) of which parts are brushed away.

    Args:
        x: Levels. Strokes on another image do not count.
        levels: Number of levels K.
        key: Where the browser keeps what is erased.
        brush: Radius in pixels.

    Returns:
        True where erased. (H, W), bool.

    Raises:
        DataError: If the browser sends what is no such mask.
    """
    found = _mount("erase", _picture(x, levels), key, brush=brush)
    if not found:
        return torch.zeros(x.shape[2:], dtype=torch.bool)
    return torch.from_numpy(_bytes(found, tuple(x.shape[2:]))) > 0


def point(x: Tensor, levels: int, key: str, *, site: tuple[int, int]) -> tuple[int, int] | None:
    """An image (1, C, H, W) to point at.

    Args:
        x: Levels.
        levels: Number of levels K.
        key: Names the picture in the browser.
        site: Row and column that are marked now.

    Returns:
        Row and column of a new click, returned once; None without one.

    Raises:
        DataError: If the browser sends what is no place in the image.
    """
    found = _mount("point", _picture(x, levels), key, site=list(site))
    if not found:
        return None
    row, _, column = found.partition(",")
    height, width = x.shape[2:]
    if not (row.isdecimal() and column.isdecimal() and int(row) < height and int(column) < width):
        raise DataError(f"The browser sent no place in an image of {height}×{width} pixels.")
    return int(row), int(column)


def _mount(mode: str, picture: np.ndarray, key: str, **data: Any) -> str | None:
    """What the browser sends for this picture; None if nothing yet."""
    component = st.components.v2.component(
        "pixelcnn_canvas",
        html=HTML,
        css=CSS,
        js=Path(__file__).with_name("canvas.js").read_text(encoding="utf-8"),
    )
    rows, columns = picture.shape[:2]
    content = picture.tobytes()
    token = hashlib.sha256(f"{mode} {rows} {columns} ".encode() + content).hexdigest()
    result = component(
        key=key,
        data={
            "mode": mode,
            "rows": rows,
            "columns": columns,
            "picture": base64.b64encode(content).decode(),
            "token": token,
            "side": SIDE,
            "label": f"Picture to {mode} at" if mode == "point" else f"Picture to {mode}",
            "brush": 1,
            "ink": [255, 255, 255],
            "site": None,
            **data,
        },
        # Streamlit keeps a value only with a callback; the next run reads it.
        on_value_change=lambda: None,
        on_click_change=lambda: None,
    )
    sent = result.get("click" if mode == "point" else "value")
    # The browser may still send the state of the previous picture.
    of, _, found = str(sent or "").partition(" ")
    return found if of == token else None


def _picture(x: Tensor, levels: int) -> np.ndarray:
    """(H, W, 3), uint8."""
    if x.shape[1] not in (1, 3):
        x = x[:, :1]
    grid = image_grid(x, levels, columns=1, pad=0)
    return np.ascontiguousarray(np.broadcast_to(grid, (*grid.shape[:2], 3)))


def _bytes(text: str, shape: tuple[int, ...]) -> np.ndarray:
    """Decodes bytes from the browser, which may be anything."""
    try:
        found = np.frombuffer(base64.b64decode(text, validate=True), np.uint8)
        return found.reshape(shape).copy()
    except (binascii.Error, ValueError, TypeError) as error:
        raise DataError(
            f"The browser sent no picture of {shape[0]}×{shape[1]} pixels. Load the page again."
        ) from error
