"""Samples as files to download."""

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st
from torch import Tensor

from pixelcnn.plots import gif_bytes, image_grid, png_bytes, screen_scale

SIDE = 48
TYPES = {"png": "image/png", "gif": "image/gif", "zip": "application/zip"}


def download_buttons(prefix: str, files: Mapping[str, tuple[str, Callable[[], bytes]]]) -> None:
    """A row of buttons, whose files are made on a click.

    Args:
        prefix: Beginning of all file names.
        files: The rest of the file name, and the function that makes the content, by label.
    """
    with st.container(horizontal=True):
        for label, (name, make) in files.items():
            st.download_button(
                label,
                make,
                file_name=f"{prefix}-{name}",
                mime=TYPES.get(name.rpartition(".")[2], "application/octet-stream"),
                on_click="ignore",
                icon=":material/download:",
            )


def grid_file(x: Tensor, levels: int, notes: Mapping[str, str]) -> bytes:
    """Images (N, C, H, W) as one PNG with their settings."""
    return png_bytes(_grid(x, levels), text=notes)


def separate_files(x: Tensor, levels: int, notes: Mapping[str, str]) -> bytes:
    """A zip of one PNG per image (N, C, H, W), of the size that the images have."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number, each in enumerate(x):
            grid = image_grid(each[None], levels, pad=0)
            content = png_bytes(grid, text={**notes, "Title": str(number)})
            archive.writestr(f"{number:04d}.png", content)
    return file.getvalue()


def animation_file(frames: Sequence[Tensor], levels: int) -> bytes:
    """Frames of images (N, C, H, W) as a GIF."""
    return gif_bytes([_grid(x, levels) for x in frames])


def arrays_file(arrays: Mapping[str, Any]) -> bytes:
    """An .npz file, as the command line writes."""
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def _grid(x: Tensor, levels: int) -> np.ndarray:
    return image_grid(x, levels, scale=screen_scale(x.shape[2], x.shape[3], side=SIDE))
