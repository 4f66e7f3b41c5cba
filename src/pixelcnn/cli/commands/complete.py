"""`pixelcnn complete`: samples the unknown pixels of images."""

import argparse
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from pixelcnn.charts.completions import completions_figure
from pixelcnn.charts.figure import save_figure
from pixelcnn.cli.inputs.query_images import QueryImages, query_images
from pixelcnn.cli.outputs.console import counted, print_lines, progress_bar, write_table
from pixelcnn.cli.outputs.level_estimates import warning_lines
from pixelcnn.cli.parsers.methods import COMPLETION_METHODS, typed_options
from pixelcnn.errors import ConfigError
from pixelcnn.files import atomic_write, provisional_folder
from pixelcnn.inference import Completions, UnreliableEstimateWarning, complete, known_masks
from pixelcnn.inference.complete import default_completion_method
from pixelcnn.models import AutoregressiveModel
from pixelcnn.plots import (
    animation_scale,
    frame_strip,
    image_grid,
    save_gif,
    save_png,
    screen_scale,
)
from pixelcnn.runs import open_model

TABLE_FILE = "completions.csv"
FIGURE_FILE = "completions.png"
LEVELS_FILE = "completions.npz"
STRIP_FILE = "chains.png"
ANIMATION_FILE = "chains.gif"
NUM_IMAGES = 4
NUM_FRAMES = 12
HEADS = ("image", "rank", "log_prob_nats", "known_log_prob_nats", "reliable")


def run(args: argparse.Namespace) -> int:
    """Completes, writes, and prints how probable the best completions are."""
    out = Path(args.out)
    if args.animation and args.method != "gibbs":
        raise ConfigError(
            "`--animation` shows the Markov chains of gibbs. Add `--method gibbs`, or leave it out."
        )
    frames: list[Tensor] = []
    with provisional_folder(out), warnings.catch_warnings():
        warnings.simplefilter("ignore", UnreliableEstimateWarning)  # the summary prints them
        model = open_model(args.run, device=args.device).model
        if not args.files and args.max_images is None:
            args.max_images = NUM_IMAGES
        images = query_images(args, model)
        found = complete_images(args, model, images, frames)
        write_table(out / TABLE_FILE, HEADS, completion_rows(images, found))
        titles = [Path(name).name for name in images.names]
        figure = completions_figure(images.x, found, levels=model.num_classes, names=titles)
        save_figure(figure, out / FIGURE_FILE)
        with atomic_write(out / LEVELS_FILE) as temporary:
            np.savez_compressed(temporary, **found.arrays(model.num_classes))
        if frames:
            write_chains(out, frames, model.num_classes)
    animation = (STRIP_FILE, ANIMATION_FILE) if frames else ()
    files = (out / name for name in (TABLE_FILE, FIGURE_FILE, LEVELS_FILE, *animation))
    print_lines(*completions_summary(images, found), *files)
    return 0


def complete_images(
    args: argparse.Namespace, model: AutoregressiveModel, images: QueryImages, frames: list[Tensor]
) -> Completions:
    """Samples what `--missing` says is unknown; `frames` takes each sweep of `--animation`."""
    words = args.missing or ["bottom"]
    count, channels, height, width = images.x.shape
    known = known_masks(
        words if len(words) > 1 else words[0],
        (count, channels, height, width),
        seed=args.seed or 0,
    )
    if known.all():
        raise ConfigError(
            f"`--missing` must leave pixels to complete, got {', '.join(words)}, by which nothing "
            f"is missing. Choose another mask, such as bottom."
        )
    method = args.method or default_completion_method(known)
    options = typed_options(args, COMPLETION_METHODS, [method])
    with progress_bar(f"completing {counted(count, 'image')}") as progress:
        return complete(
            model,
            images.x,
            known,
            method=method,
            num_completions=args.num_completions,
            cond=images.cond,
            seed=args.seed or 0,
            batch_size=args.batch_size,
            progress=progress,
            **options,
            **({"on_sweep": frames.append} if args.animation else {}),
        )


def completion_rows(images: QueryImages, found: Completions) -> Iterator[tuple[object, ...]]:
    """One row per completion, the most probable of each image first."""
    for number, name in enumerate(images.names):
        values = zip(found.log_prob[number], found.known_log_prob[number], strict=True)
        for rank, (whole, known) in enumerate(values, 1):
            yield name, rank, f"{whole:.4f}", f"{known:.4f}", int(found.is_reliable)


def write_chains(out: Path, frames: list[Tensor], levels: int) -> None:
    """Writes the chains (B, M, C, H, W) after each sweep: some side by side, all as animation."""
    seen = rearrange(torch.stack(frames), "t b m c h w -> t (b m) c h w").cpu()
    height, width = seen.shape[3:]
    some = torch.linspace(0, len(seen) - 1, min(len(seen), NUM_FRAMES)).round().long()
    save_png(out / STRIP_FILE, frame_strip(seen[some], levels, scale=screen_scale(height, width)))
    columns = frames[0].shape[1]
    scale = animation_scale(height, width, columns=columns)
    grids = [image_grid(each, levels, columns=columns, scale=scale) for each in seen]
    save_gif(out / ANIMATION_FILE, grids)


def completions_summary(images: QueryImages, found: Completions) -> list[str]:
    """How probable the best completion of each image is, and every warning."""
    lines = [
        f"{counted(found.images.shape[1], 'completion')} of each of "
        f"{counted(len(images.x), 'image')} by {found.method}: {images.about}"
    ]
    for number, name in enumerate(images.names):
        best, known = found.log_prob[number, 0], found.known_log_prob[number, 0]
        lines.append(f"  {name}: best {best:.2f} nats, of which {known:.2f} for the known pixels")
    return [*lines, *warning_lines(found.warnings)]
