"""`pixelcnn complete`: draws what is missing of images."""

import argparse
import csv
import warnings
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from pixelcnn.charts.completions import completions_figure
from pixelcnn.charts.figure import save_figure
from pixelcnn.cli.inputs.query_images import QueryImages, query_images
from pixelcnn.cli.outputs.console import counted, progress_bar
from pixelcnn.cli.parsers.queries import COMPLETION_METHODS, typed_options
from pixelcnn.errors import ConfigError
from pixelcnn.files import atomic_write, provisional_folder
from pixelcnn.inference import Completions, UnreliableEstimateWarning, complete, known_masks
from pixelcnn.inference.complete import default_completion_method
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
PICTURE_FILE = "completions.png"
LEVELS_FILE = "completions.npz"
STRIP_FILE = "chains.png"
FILM_FILE = "chains.gif"
NUM_IMAGES = 4
NUM_FRAMES = 12


def run(args: argparse.Namespace) -> int:
    """Completes, writes, and says how probable the best are."""
    out = Path(args.out)
    if args.film and args.method != "gibbs":
        raise ConfigError("`--film` shows the chains of gibbs: add `--method gibbs`.")
    frames: list[Tensor] = []
    with provisional_folder(out), warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", UnreliableEstimateWarning
        )  # `completions_summary` prints the warnings
        model = open_model(args.run, device=args.device).model
        if not args.files and args.max_images is None:
            args.max_images = NUM_IMAGES
        asked = query_images(args, model)
        count, channels, height, width = asked.x.shape
        words = args.missing or ["bottom"]
        missing = words if len(words) > 1 else words[0]
        known = known_masks(missing, (count, channels, height, width), seed=args.seed or 0)
        method = args.method or default_completion_method(known)
        with progress_bar(f"completing {count} images") as progress:
            found = complete(
                model,
                asked.x,
                known,
                method=method,
                num_completions=args.num_completions,
                cond=asked.cond,
                seed=args.seed or 0,
                batch_size=args.batch_size,
                progress=progress,
                **typed_options(args, COMPLETION_METHODS, [method]),
                **({"on_sweep": frames.append} if args.film else {}),
            )
        write_completions(out, asked, found, model.num_classes)
        if frames:
            write_chains(out, frames, model.num_classes)
    print(completions_summary(asked, found))
    film = (STRIP_FILE, FILM_FILE) if frames else ()
    for name in (TABLE_FILE, PICTURE_FILE, LEVELS_FILE, *film):
        print(out / name)
    return 0


def write_completions(out: Path, asked: QueryImages, found: Completions, levels: int) -> None:
    """Writes the table, the picture and the levels, each whole or not at all."""
    with atomic_write(out / TABLE_FILE) as temporary, temporary.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "rank", "log_prob_nats", "known_log_prob_nats", "reliable"])
        for number, name in enumerate(asked.names):
            figures = zip(found.log_prob[number], found.known_log_prob[number], strict=True)
            for rank, (whole, explained) in enumerate(figures, 1):
                figures_of_it = f"{whole:.4f}", f"{explained:.4f}"
                table.writerow([name, rank, *figures_of_it, int(found.is_reliable)])
    titles = [Path(name).name for name in asked.names]
    figure = completions_figure(asked.x, found, levels=levels, names=titles)
    save_figure(figure, out / PICTURE_FILE)
    with atomic_write(out / LEVELS_FILE) as temporary:
        np.savez_compressed(temporary, **found.arrays(levels))


def write_chains(out: Path, frames: list[Tensor], levels: int) -> None:
    """Writes the chains (B, M, C, H, W) of each sweep: some side by side, and all as a film."""
    seen = rearrange(torch.stack(frames), "t b m c h w -> t (b m) c h w").cpu()
    height, width = seen.shape[3:]
    some = torch.linspace(0, len(seen) - 1, min(len(seen), NUM_FRAMES)).round().long()
    save_png(out / STRIP_FILE, frame_strip(seen[some], levels, scale=screen_scale(height, width)))
    columns = frames[0].shape[1]
    scale = animation_scale(height, width, columns=columns)
    save_gif(
        out / FILM_FILE,
        [image_grid(each, levels, columns=columns, scale=scale) for each in seen],
    )


def completions_summary(asked: QueryImages, found: Completions) -> str:
    """The log-probability of the best completion of each image, and every warning."""
    lines = [
        f"{counted(found.images.shape[1], 'completion')} of each of "
        f"{counted(len(asked.x), 'image')} by {found.method}: "
        f"{asked.about}"
    ]
    for number, name in enumerate(asked.names):
        best, explained = found.log_prob[number, 0], found.known_log_prob[number, 0]
        lines.append(f"  {name}: best {best:.2f} nats, of which the known part {explained:.2f}")
    lines += [f"  WARNING: {sentence}" for sentence in found.warnings]
    return "\n".join(lines)
