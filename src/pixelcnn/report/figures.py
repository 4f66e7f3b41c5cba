"""The pictures of a report."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pixelcnn.charts.comparison import compared_bits_figure, epochs_figure
from pixelcnn.charts.curves import compared_curves
from pixelcnn.charts.figure import figure_png
from pixelcnn.evaluation.sample_quality import GeneratedSamples
from pixelcnn.inference import known_mask
from pixelcnn.plots import Grid, image_grid, mark_unknown, name_rows, png_bytes, screen_scale
from pixelcnn.report.compare import Comparison
from pixelcnn.report.measure import UNKNOWN
from pixelcnn.report.variant import Variant

COLUMNS = 16
ROWS = 2  # of each variant
EPOCHS = 10
TILES = 4  # rows and columns of a sample grid that its strip shows
PAD = 2  # of the sample grids of a training
EACH = 8  # of each label
GAP = 16  # screen pixels between pictures side by side


@dataclass(frozen=True)
class Picture:
    """A picture with what it shows.

    Attributes:
        name: Of its file, without .png.
        title: A heading.
        caption: What it shows, in sentences.
        png: Content of the file.
    """

    name: str
    title: str
    caption: str
    png: bytes


def pictures_of(found: Comparison) -> list[Picture]:
    """All pictures that there are data for, in the order of the page."""
    made = [curves(found), epochs(found), samples(found), by_label(found)]
    made += [bit_maps(found), completions(found)]
    return [picture for picture in made if picture is not None]


def curves(found: Comparison) -> Picture | None:
    """Training curves."""
    histories = {variant.name: variant.history for variant in found.variants if variant.history}
    if not histories:
        return None
    figure = compared_curves(histories, num_dims=found.images.spec.num_dims)
    caption = (
        "NLL in nats per image by epoch: validation (lines), training (dotted), and the best epoch "
        "(ring), whose weights are compared here. Below: perplexity per sub-pixel, and learning "
        "rate at the end of each epoch."
    )
    return Picture("curves", "Training curves", caption, figure_png(figure))


def epochs(found: Comparison) -> Picture | None:
    """Samples during training."""
    strips = {variant.name: strip_of(variant) for variant in found.variants if variant.grids}
    if not strips:
        return None
    caption = "Samples after some epochs of each training, with the same noise in each epoch."
    return Picture("epochs", "Samples during training", caption, figure_png(epochs_figure(strips)))


def strip_of(variant: Variant) -> dict[int, Grid]:
    """The upper left of some sample grids, spread evenly over the epochs."""
    kept = sorted(variant.grids)
    places = np.linspace(0, len(kept) - 1, min(len(kept), EPOCHS)).round().astype(int)
    return {kept[place]: corner(variant.grids[kept[place]], variant) for place in places}


def corner(path: Path, variant: Variant) -> Grid:
    """A few whole images of a sample grid."""
    spec = variant.model.spec
    scale = screen_scale(spec.height, spec.width)
    with Image.open(path) as picture:
        pixels = np.asarray(picture)
    pixels = pixels[: TILES * (spec.height * scale + 2 * PAD)]
    pixels = pixels[:, : TILES * (spec.width * scale + 2 * PAD)]
    return pixels if pixels.ndim == 3 else pixels[:, :, None]


def samples(found: Comparison) -> Picture:
    """Test images above samples of each variant."""
    spec, count = found.images.spec, COLUMNS * ROWS
    sets = [measured.samples.x[:count] for measured in found.measured]
    sets.insert(0, found.measured[0].samples.real[:count].to(sets[0].dtype))
    columns = min(COLUMNS, min(len(each) for each in sets))
    rows = min(len(each) for each in sets) // columns
    shown = torch.cat([each[: rows * columns] for each in sets])
    grid = image_grid(shown, spec.levels, columns=columns, scale=screen_scale(*spec.shape[1:]))
    names = [name for each in ("test images", *found.names) for name in (each, *[""] * (rows - 1))]
    caption = (
        f"Test images, and samples of each model at temperature 1, not cherry-picked: all with the "
        f"same noise (seed {found.effort.seed}). Conditional models are conditioned on the labels, "
        f"attributes or maps of the test images above."
    )
    picture = name_rows(grid, names)
    return Picture("samples", "Test images and samples", caption, png_bytes(picture))


def by_label(found: Comparison) -> Picture | None:
    """Samples per class of the class-conditional variants, side by side."""
    blocks = {
        variant.name: block
        for variant, measured in zip(found.variants, found.measured, strict=True)
        if variant.model.condition.kind == "labels"
        and (block := label_rows(measured.samples)) is not None
    }
    if not blocks:
        return None
    highest = max(len(block) for block in blocks.values())
    padded = [
        np.pad(block, ((0, highest - len(block)), (0, GAP), (0, 0)), constant_values=255)
        for block in blocks.values()
    ]
    picture = np.concatenate(padded, axis=1)
    caption = (
        f"The first {EACH} samples per class at temperature 1, not cherry-picked"
        f"{'; from the left: ' + ', '.join(blocks) if len(blocks) > 1 else ''}."
    )
    return Picture("labels", "Samples per class", caption, png_bytes(picture))


def label_rows(samples: GeneratedSamples) -> Grid | None:
    """A row of samples for each label of which there are enough."""
    if samples.cond is None:
        return None
    each = {int(label): samples.x[samples.cond == label][:EACH] for label in samples.cond.unique()}
    whole = {label: x for label, x in each.items() if len(x) == EACH}
    if not whole:
        return None
    scale = screen_scale(*samples.spec.shape[1:])
    x = torch.cat(list(whole.values()))
    grid = image_grid(x, samples.spec.levels, columns=EACH, scale=scale)
    return name_rows(grid, [samples.condition.every_name[label] for label in whole])


def bit_maps(found: Comparison) -> Picture:
    """Heat maps of the bits per pixel."""
    bits = {name: each.bits for name, each in zip(found.names, found.measured, strict=True)}
    x = images_shown(found)
    figure = compared_bits_figure(x, bits, levels=found.images.spec.levels)
    caption = (
        "Bits of each pixel of test images given all earlier pixels, on one scale: bright where "
        "the model predicts badly. Conditional models are conditioned on their labels, attributes "
        "or maps."
    )
    return Picture("bits-per-pixel", "Bits per pixel", caption, figure_png(figure))


def completions(found: Comparison) -> Picture:
    """Two completions of each image by each variant, below the test image and its known half."""
    spec, x = found.images.spec, images_shown(found)
    known = known_mask(UNKNOWN, spec.shape)
    everything = torch.ones_like(known)
    rows = [
        mark_unknown(x, everything, spec.levels),
        mark_unknown(x * known, known, spec.levels, touch=1),
    ]
    for measured in found.measured:
        for each in measured.completions.unbind(1):
            rows.append(mark_unknown(each, everything, spec.levels))
    grid = image_grid(torch.cat(rows), 256, columns=len(x), scale=screen_scale(*spec.shape[1:]))
    names = ["test images", "known", *(name for each in found.names for name in (each, ""))]
    caption = (
        "Two completions by each model of the lower half (blue: unknown) given the upper half, the "
        "more probable first. They are exact samples, since the lower half is last in raster order."
    )
    picture = name_rows(grid, names)
    return Picture("completions", "Completions", caption, png_bytes(picture))


def images_shown(found: Comparison) -> Tensor:
    """The test images of the pictures. (S, C, H, W), int64."""
    return found.measured[0].samples.real[found.shown].long()
