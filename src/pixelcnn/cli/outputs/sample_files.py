"""Samples of a model, and the files that hold them."""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor
from typing_extensions import Unpack

from pixelcnn.checkpoint import fingerprint
from pixelcnn.cli.outputs.console import counted, progress_bar
from pixelcnn.data.conditions import condition_notes
from pixelcnn.data.sources.arrays.arrays import sample_arrays
from pixelcnn.errors import ConfigError
from pixelcnn.files import atomic_write
from pixelcnn.inference import PixelCNNSampler
from pixelcnn.models import AutoregressiveModel
from pixelcnn.models.generation import sample_shape
from pixelcnn.nn import Condition
from pixelcnn.plots import (
    as_image,
    generation_notes,
    image_grid,
    name_rows,
    save_png,
    screen_scale,
)
from pixelcnn.walk import SamplingKeywords, SamplingOptions

FRAME_SECONDS = 0.1
LAST_FRAME_SECONDS = 2.0
PICTURE_SIDE = 320  # screen pixels that the longer side of a grid of few or small images gets
LARGEST_GIF = 65_535  # its sizes have 16 bits


@dataclass(frozen=True)
class SamplingOutput:
    """Sampled images with all that decided them.

    Attributes:
        frames: The images after each row, the finished ones last; or these alone.
            Shape of each: (N, C, H, W).
        levels: Number of levels K.
        cond: Condition of each image, shape (N, …), or None.
        condition: What the model is conditioned on.
        notes: How the images were made, for the text chunks of a PNG.
        per_label: Images of each label, if that was typed.
    """

    frames: list[Tensor]
    levels: int
    cond: Tensor | None
    condition: Condition
    notes: dict[str, str]
    per_label: int | None

    @property
    def images(self) -> Tensor:
        """The finished images. Shape: (N, C, H, W)."""
        return self.frames[-1]


def sample_with_progress(
    model: AutoregressiveModel,
    num_samples: int,
    *,
    per_label: int | None = None,
    keep_frames: bool = False,
    shape: tuple[int, ...] | None = None,
    **options: Unpack[SamplingKeywords],
) -> SamplingOutput:
    """Samples images with a progress bar.

    Args:
        model: On the device where it samples.
        num_samples: Images, N.
        per_label: Images of each label in a row, if they were requested that way.
        keep_frames: Whether to keep the images after every row, for an animation.
        shape: (C, H, W); None for the model's own size.
        **options: See `pixelcnn.SamplingOptions`; `cond` holds one condition for each image.

    Raises:
        ShapeError: If the shape or the condition does not fit the model.
    """
    chosen = SamplingOptions.of(options, sample_shape(model, shape))
    sampler, frames = PixelCNNSampler(model), []
    with progress_bar(f"sampling {counted(num_samples, 'image')}") as tell:
        if keep_frames:
            for step in sampler.generate_progressively(num_samples, **vars(chosen)):
                frames.append(step.images)
                tell(step.num_known, step.num_total)
        else:
            frames.append(sampler.generate_samples(num_samples, on_progress=tell, **vars(chosen)))
    assert chosen.cond is None or isinstance(chosen.cond, Tensor)
    condition = condition_notes(chosen.cond, model.condition.kind)
    settings = {**chosen.plain, **condition, "num_samples": num_samples}
    notes = generation_notes(fingerprint=fingerprint(model), settings=settings)
    return SamplingOutput(frames, model.num_classes, chosen.cond, model.condition, notes, per_label)


def grid_of(
    output: SamplingOutput, x: Tensor, *, columns: int | None = None, scale: int | None = None
) -> np.ndarray:
    """Images x (N, C, H, W) in a grid, with a named row for each label of --per-label.

    Default of `scale`: neither the images nor, if there are few, the whole is tiny.
    """
    if scale is None:
        scale = default_scale(output, x, columns)
    is_named = output.condition.kind == "labels" and output.per_label is not None
    if not is_named or output.cond is None or columns is not None:
        return image_grid(x, output.levels, columns=columns, scale=scale)
    grid = image_grid(x, output.levels, columns=output.per_label, scale=scale)
    numbers = output.cond[:: output.per_label].tolist()
    names = output.condition.names or ()
    return name_rows(grid, [names[n] if n < len(names) else str(n) for n in numbers])


def default_scale(output: SamplingOutput, x: Tensor, columns: int | None) -> int:
    """Screen pixels per pixel that show each image (N, C, H, W), and all of them, large enough."""
    count, _, height, width = x.shape
    columns = columns or output.per_label or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    whole = screen_scale(rows * height, columns * width, side=PICTURE_SIDE)
    return max(screen_scale(height, width), whole)


def save_grid(
    output: SamplingOutput, path: Path, *, columns: int | None = None, scale: int | None = None
) -> None:
    """Writes the finished images as one PNG with their settings in its text chunks."""
    save_png(path, grid_of(output, output.images, columns=columns, scale=scale), text=output.notes)


def save_animation(
    output: SamplingOutput, path: Path, *, columns: int | None = None, scale: int | None = None
) -> None:
    """Writes the images after each row as one GIF with their settings in a comment."""
    grids = [grid_of(output, x, columns=columns, scale=scale) for x in output.frames]
    height, width = grids[0].shape[:2]
    if max(height, width) > LARGEST_GIF:
        raise ConfigError(
            f"An animation must be at most {LARGEST_GIF:,} screen pixels high and wide, got "
            f"{height:,}×{width:,}. Choose a smaller --scale or --size, or other --columns."
        )
    first, *rest = [as_image(grid) for grid in grids]
    seconds = [FRAME_SECONDS] * len(rest) + [LAST_FRAME_SECONDS]
    with atomic_write(path) as temporary:
        first.save(
            temporary,
            format="GIF",
            save_all=True,
            append_images=rest,
            duration=[round(1000 * each) for each in seconds],
            loop=0,
            comment=json.dumps(output.notes).encode(),
        )


def save_separate(output: SamplingOutput, folder: Path, *, scale: int | None = None) -> None:
    """Writes one PNG per image, numbered from 0000."""
    for number, x in enumerate(output.images):
        grid = image_grid(x[None], output.levels, scale=scale or 1, pad=0)
        save_png(folder / f"{number:04d}.png", grid, text=output.notes | {"Title": f"{number}"})


def save_levels(output: SamplingOutput, path: Path) -> None:
    """Writes `x` (N, C, H, W), its `levels`, the condition and `notes` (JSON) as NPZ.

    The condition is `labels` (N,), `attributes` (N, A) or `maps` (N, A, H, W).
    """
    kind, cond = output.condition.kind, output.cond
    arrays = sample_arrays(output.images, output.levels, output.notes, kind, cond)
    with atomic_write(path) as temporary:
        np.savez_compressed(temporary, **arrays)
