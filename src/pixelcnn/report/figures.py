"""The pictures of a report."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pixelcnn.charts.comparison import epochs_figure, surprises_figure
from pixelcnn.charts.curves import compared_curves
from pixelcnn.charts.figure import figure_png
from pixelcnn.evaluation.sample_quality import GeneratedSamples
from pixelcnn.inference import known_mask
from pixelcnn.plots import Grid, grid_png, image_grid, mark_unknown, name_rows, screen_scale
from pixelcnn.report.compare import Comparison
from pixelcnn.report.measure import MISSING
from pixelcnn.report.variant import Variant

COLUMNS = 16
ROWS = 2  # of each variant
EPOCHS = 10
TILES = 4  # rows and columns of a kept grid that its strip shows
PAD = 2  # of the grids that a training keeps
EACH = 8  # of each label
GAP = 16  # screen pixels between pictures side by side


@dataclass(frozen=True)
class Picture:
    """A picture with what it shows.

    Attributes:
        name: Of its file, without .png.
        title: A heading.
        caption: What is to be seen.
        png: Content of the file.
    """

    name: str
    title: str
    caption: str
    png: bytes


def pictures_of(found: Comparison) -> list[Picture]:
    """All that there is something to show for, in the order of the page."""
    made = [curves(found), epochs(found), samples(found), by_label(found)]
    made += [surprises(found), completions(found)]
    return [picture for picture in made if picture is not None]


def curves(found: Comparison) -> Picture | None:
    """The trainings."""
    histories = {variant.name: variant.history for variant in found.variants if variant.history}
    if not histories:
        return None
    figure = compared_curves(histories, num_dims=found.images.spec.num_dims)
    caption = (
        "NLL in nats per image by epoch: validation in lines, training dotted, a ring at the best "
        "epoch, whose weights are compared here. Below, perplexity of a sub-pixel and the "
        "learning rate at the end of each epoch."
    )
    return Picture("curves", "Trainings", caption, figure_png(figure))


def epochs(found: Comparison) -> Picture | None:
    """What the runs kept of the samples of some epochs."""
    strips = {variant.name: strip_of(variant) for variant in found.variants if variant.grids}
    if not strips:
        return None
    caption = "Samples that the trainings kept, each row by the same noise throughout."
    return Picture("epochs", "Samples as they learned", caption, figure_png(epochs_figure(strips)))


def strip_of(variant: Variant) -> dict[int, Grid]:
    """The upper left of some of the grids, spread evenly over those that were kept."""
    kept = sorted(variant.grids)
    places = np.linspace(0, len(kept) - 1, min(len(kept), EPOCHS)).round().astype(int)
    return {kept[place]: corner(variant.grids[kept[place]], variant) for place in places}


def corner(path: Path, variant: Variant) -> Grid:
    """A few whole images of a kept grid."""
    spec = variant.model.spec
    scale = screen_scale(spec.height, spec.width)
    with Image.open(path) as picture:
        pixels = np.asarray(picture)
    pixels = pixels[: TILES * (spec.height * scale + 2 * PAD)]
    pixels = pixels[:, : TILES * (spec.width * scale + 2 * PAD)]
    return pixels if pixels.ndim == 3 else pixels[:, :, None]


def samples(found: Comparison) -> Picture:
    """Originals above what each variant drew."""
    spec, count = found.images.spec, COLUMNS * ROWS
    sets = [measured.drawn.x[:count] for measured in found.measured]
    sets.insert(0, found.measured[0].drawn.real[:count].to(sets[0].dtype))
    columns = min(COLUMNS, min(len(each) for each in sets))
    rows = min(len(each) for each in sets) // columns
    shown = torch.cat([each[: rows * columns] for each in sets])
    grid = image_grid(shown, spec.levels, columns=columns, scale=screen_scale(*spec.shape[1:]))
    names = [name for each in ("originals", *found.names) for name in (each, *[""] * (rows - 1))]
    caption = (
        f"Test images, and images drawn at temperature 1 by the same noise (seed "
        f"{found.effort.seed}), none left out. Models of labels are told those of the test images "
        f"above."
    )
    picture = name_rows(grid, names)
    return Picture("samples", "Originals and samples", caption, grid_png(picture))


def by_label(found: Comparison) -> Picture | None:
    """What variants that are told labels drew for each, side by side."""
    blocks = {
        variant.name: block
        for variant, measured in zip(found.variants, found.measured, strict=True)
        if variant.model.condition.kind == "labels"
        and (block := label_rows(measured.drawn)) is not None
    }
    if not blocks:
        return None
    highest = max(len(block) for block in blocks.values())
    edges = [((0, highest - len(block)), (0, GAP), (0, 0)) for block in blocks.values()]
    padded = [
        np.pad(block, edge, constant_values=255)
        for block, edge in zip(blocks.values(), edges, strict=True)
    ]
    picture = np.concatenate(padded, axis=1)
    caption = (
        f"Rows are the labels that the model was told, and the first {EACH} images it drew of each"
        f"{'; from the left: ' + ', '.join(blocks) if len(blocks) > 1 else ''}."
    )
    return Picture("labels", "Drawn by label", caption, grid_png(picture))


def label_rows(drawn: GeneratedSamples) -> Grid | None:
    """A row of images for each label of which there are enough."""
    if drawn.cond is None:
        return None
    each = {int(label): drawn.x[drawn.cond == label][:EACH] for label in drawn.cond.unique()}
    whole = {label: x for label, x in each.items() if len(x) == EACH}
    if not whole:
        return None
    scale = screen_scale(*drawn.spec.shape[1:])
    x = torch.cat(list(whole.values()))
    grid = image_grid(x, drawn.spec.levels, columns=EACH, scale=scale)
    return name_rows(grid, [drawn.condition.every_name[label] for label in whole])


def surprises(found: Comparison) -> Picture:
    """Heat maps of the bits of each pixel."""
    bits = {
        variant.name: measured.bits
        for variant, measured in zip(found.variants, found.measured, strict=True)
    }
    x = images_shown(found)
    figure = surprises_figure(x, bits, levels=found.images.spec.levels)
    caption = (
        "What each pixel of a test image cost, on one scale: bright where the model did not expect "
        "it. Models of labels are told them."
    )
    return Picture("surprise", "Bits per pixel", caption, figure_png(figure))


def completions(found: Comparison) -> Picture:
    """Two completions of each image by each variant, under the original and what was given."""
    spec, x = found.images.spec, images_shown(found)
    known = known_mask(MISSING, spec.shape)
    everything = torch.ones_like(known)
    rows = [mark_unknown(x, everything, spec.levels), mark_unknown(x * known, known, spec.levels)]
    for measured in found.measured:
        for each in measured.completions.unbind(1):
            rows.append(mark_unknown(each, everything, spec.levels))
    grid = image_grid(torch.cat(rows), 256, columns=len(x), scale=screen_scale(*spec.shape[1:]))
    names = ["originals", "given", *(name for each in found.names for name in (each, ""))]
    caption = (
        "The lower half was missing (blue) and drawn given the upper one, exactly, since it comes "
        "last in raster order: two draws by each model, the more probable one first."
    )
    picture = name_rows(grid, names)
    return Picture("completions", "Completions", caption, grid_png(picture))


def images_shown(found: Comparison) -> Tensor:
    """The test images of the pictures. (S, C, H, W), int64."""
    return found.measured[0].drawn.real[found.shown].long()
