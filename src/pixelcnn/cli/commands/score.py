"""`pixelcnn score`: the likelihood of images, the most surprising first."""

import argparse
import math
from collections.abc import Iterator
from pathlib import Path

from torch import Tensor

from pixelcnn.charts.bits import bits_figure
from pixelcnn.charts.figure import save_figure
from pixelcnn.cli.inputs.query_images import QueryImages, query_images
from pixelcnn.cli.outputs.console import counted, print_lines, progress_bar, write_table
from pixelcnn.cli.scoring.ood import score_against
from pixelcnn.cli.scoring.shards import SCORES_FILE, score_shards
from pixelcnn.cli.sharding import check_sharing
from pixelcnn.errors import ConfigError
from pixelcnn.evaluation import density_name
from pixelcnn.files import provisional_folder
from pixelcnn.inference import Scores, expectation, score, score_unconditionally
from pixelcnn.models import AutoregressiveModel
from pixelcnn.nn import Condition
from pixelcnn.plots import (
    animation_scale,
    frame_strip,
    image_grid,
    mark_unknown,
    save_gif,
    save_png,
    screen_scale,
)
from pixelcnn.runs import open_model

SURPRISE_FILE = "surprise.png"
STRIP_FILE = "expectation.png"
ANIMATION_FILE = "expectation.gif"
NUM_ANIMATED = 4
LISTED = 5
HEADS = ("rank", "image", "label", "nats", "bits_per_dim", "perplexity")


def run(args: argparse.Namespace) -> int:
    """Scores, writes the table and the heat maps, and prints a summary."""
    check_sharing(args)
    if args.shards is not None:
        return score_shards(args)
    if args.against is not None:
        return score_against(args)
    if args.background is not None:
        raise ConfigError("`--background` needs `--against DATA`: add it, or leave both out.")
    out = Path(args.out)
    with provisional_folder(out):
        model = open_model(args.run, device=args.device).model
        images = query_images(args, model, sums_labels=not args.animation)
        scores = scores_of(model, images, args.batch_size)
        write_table(out / SCORES_FILE, HEADS, score_rows(images, scores, model.condition))
        write_surprise(out, images, scores, levels=model.num_classes, count=args.show)
        if args.animation:
            write_expectation(out, model, images, scores, args)
    animation = (STRIP_FILE, ANIMATION_FILE) if args.animation else ()
    files = (out / name for name in (SCORES_FILE, SURPRISE_FILE, *animation))
    print_lines(*scores_summary(images, scores, model.condition), *files)
    return 0


def scores_of(model: AutoregressiveModel, images: QueryImages, batch_size: int) -> Scores:
    """Scores given the conditions of the images, or else those of p(x)."""
    with progress_bar(f"scoring {counted(len(images.x), 'image')}") as progress:
        if images.cond is None:
            return score_unconditionally(model, images.x, batch_size=batch_size, progress=progress)
        return score(model, images.x, images.cond, batch_size=batch_size, progress=progress)


def score_rows(
    images: QueryImages, scores: Scores, condition: Condition
) -> Iterator[tuple[object, ...]]:
    """One row per image, the most surprising first."""
    labels = images.cond if condition.kind == "labels" else None
    for rank, number in enumerate(scores.ranking.tolist(), 1):
        yield (
            rank,
            images.names[number],
            "" if labels is None else condition.every_name[int(labels[number])],
            f"{scores.nats[number]:.4f}",
            f"{scores.bits_per_dim[number]:.6f}",
            f"{scores.perplexity[number]:.6f}",
        )


def write_surprise(
    out: Path, images: QueryImages, scores: Scores, *, levels: int, count: int
) -> None:
    """Writes heat maps of the most surprising images."""
    shown = scores.ranking[:count]
    titles = [
        f"{Path(images.names[number]).name}\n{scores.bits_per_dim[number]:.3f} bits/dim"
        for number in shown.tolist()
    ]
    figure = bits_figure(
        images.x[shown], scores.bits_per_pixel[shown], levels=levels, titles=titles
    )
    save_figure(figure, out / SURPRISE_FILE)


def write_expectation(
    out: Path,
    model: AutoregressiveModel,
    images: QueryImages,
    scores: Scores,
    args: argparse.Namespace,
) -> None:
    """Writes what is expected of images after each pixel: side by side, and as an animation."""
    chosen: Tensor = scores.ranking[:NUM_ANIMATED]
    with progress_bar(f"animating {counted(len(chosen), 'image')}") as progress:
        found = expectation(
            model,
            images.x[chosen],
            None if images.cond is None else images.cond[chosen],
            seed=args.seed or 0,
            batch_size=args.batch_size,
            progress=progress,
        )
    frames = mark_unknown(found.mean, found.known[:, None], model.num_classes)
    height, width = frames.shape[3:]
    save_png(out / STRIP_FILE, frame_strip(frames, 256, scale=screen_scale(height, width)))
    scale = animation_scale(height, width, columns=len(chosen))
    grids = [image_grid(each, 256, columns=len(chosen), scale=scale) for each in frames]
    save_gif(out / ANIMATION_FILE, grids, milliseconds=300)


def scores_summary(images: QueryImages, scores: Scores, condition: Condition) -> list[str]:
    """The mean with its standard error, and the most surprising images."""
    count = len(scores.nats)
    # One image alone does not say how much others differ.
    error = f" ± {scores.nats.std().item() / math.sqrt(count):.2f}" if count > 1 else ""
    is_unconditional = images.foreign is not None and images.cond is None
    density = density_name(None if images.cond is None else condition.kind)
    way = f", {scores.density}" if images.cond is None and not condition.is_none else ""
    lines = [
        f"{density} of {counted(count, 'image')}{way}: {images.about}",
        *([f"not conditioned on labels, since {images.foreign}"] if is_unconditional else []),
        f"{scores.nats.mean():.2f}{error} nats per image, "
        f"{scores.bits_per_dim.mean():.4f} bits/dim",
        "most surprising:",
    ]
    lines += [
        f"  {images.names[number]}  {scores.bits_per_dim[number]:.4f} bits/dim"
        for number in scores.ranking[:LISTED].tolist()
    ]
    return lines
