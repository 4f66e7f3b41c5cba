"""`pixelcnn score`: how probable images are, the most surprising first."""

import argparse
import csv
import math
from pathlib import Path

from pixelcnn.charts.bits import bits_figure
from pixelcnn.charts.figure import save_figure
from pixelcnn.cli.inputs.query_images import QueryImages, query_images
from pixelcnn.cli.outputs.console import counted, progress_bar
from pixelcnn.cli.scoring.ood import score_against
from pixelcnn.cli.scoring.shards import SCORES_FILE, score_shards
from pixelcnn.cli.sharding import check_sharing
from pixelcnn.errors import ConfigError
from pixelcnn.evaluation import density_name
from pixelcnn.files import atomic_write, provisional_folder
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
FILM_FILE = "expectation.gif"
NUM_FILMED = 4
LISTED = 5


def run(args: argparse.Namespace) -> int:
    """Scores, writes the table and the heat maps, and says what stands out."""
    check_sharing(args)
    if args.shards is not None:
        return score_shards(args)
    if args.against is not None:
        return score_against(args)
    if args.background is not None:
        raise ConfigError("`--background` needs `--against`: say what to tell the images from.")
    out = Path(args.out)
    with provisional_folder(out):
        model = open_model(args.run, device=args.device).model
        asked = query_images(args, model, sums_labels=not args.film)
        scores = scores_of(model, asked, args.batch_size)
        write_scores(out / SCORES_FILE, asked, scores, model.condition)
        shown = scores.ranking[: args.show]
        titles = [
            f"{Path(asked.names[number]).name}\n{scores.bits_per_dim[number]:.3f} bits/dim"
            for number in shown.tolist()
        ]
        figure = bits_figure(
            asked.x[shown], scores.bits_per_pixel[shown], levels=model.num_classes, titles=titles
        )
        save_figure(figure, out / SURPRISE_FILE)
        if args.film:
            write_expectation(out, model, asked, scores, args)
    print(scores_summary(asked, scores, model.condition))
    film = (STRIP_FILE, FILM_FILE) if args.film else ()
    for name in (SCORES_FILE, SURPRISE_FILE, *film):
        print(out / name)
    return 0


def scores_of(model: AutoregressiveModel, asked: QueryImages, batch_size: int) -> Scores:
    """Scores given what is known of the images, or else those of p(x)."""
    with progress_bar(f"scoring {counted(len(asked.x), 'image')}") as progress:
        if asked.cond is None:
            return score_unconditionally(model, asked.x, batch_size=batch_size, progress=progress)
        return score(model, asked.x, asked.cond, batch_size=batch_size, progress=progress)


def write_scores(path: Path, asked: QueryImages, scores: Scores, condition: Condition) -> None:
    """One line per image, the most surprising first; whole or not at all."""
    labels = asked.cond if condition.kind == "labels" else None
    names = condition.names or ()
    with atomic_write(path) as temporary, temporary.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["rank", "image", "label", "nats", "bits_per_dim", "perplexity"])
        for rank, number in enumerate(scores.ranking.tolist(), 1):
            label = None if labels is None else int(labels[number])
            named = "" if label is None else names[label] if label < len(names) else label
            table.writerow(
                [
                    rank,
                    asked.names[number],
                    named,
                    f"{scores.nats[number]:.4f}",
                    f"{scores.bits_per_dim[number]:.6f}",
                    f"{scores.perplexity[number]:.6f}",
                ]
            )


def write_expectation(
    out: Path,
    model: AutoregressiveModel,
    asked: QueryImages,
    scores: Scores,
    args: argparse.Namespace,
) -> None:
    """Writes what is expected of images as their pixels arrive: side by side, and as a film."""
    filmed = scores.ranking[:NUM_FILMED]
    with progress_bar(f"filming {counted(len(filmed), 'image')}") as progress:
        found = expectation(
            model,
            asked.x[filmed],
            None if asked.cond is None else asked.cond[filmed],
            seed=args.seed or 0,
            batch_size=args.batch_size,
            progress=progress,
        )
    frames = mark_unknown(found.mean, found.known[:, None], model.num_classes)
    height, width = frames.shape[3:]
    save_png(out / STRIP_FILE, frame_strip(frames, 256, scale=screen_scale(height, width)))
    scale = animation_scale(height, width, columns=len(filmed))
    films = [image_grid(each, 256, columns=len(filmed), scale=scale) for each in frames]
    save_gif(out / FILM_FILE, films, milliseconds=300)


def scores_summary(asked: QueryImages, scores: Scores, condition: Condition) -> str:
    """The mean with its standard error, and the most surprising images."""
    count = len(scores.nats)
    # One image alone does not say how much others differ.
    error = f" ± {scores.nats.std().item() / math.sqrt(count):.2f}" if count > 1 else ""
    is_untold = asked.foreign is not None and asked.cond is None
    density = density_name(None if asked.cond is None else condition.kind)
    way = f", {scores.density}" if asked.cond is None and not condition.is_none else ""
    lines = [
        f"{density} of {counted(count, 'image')}{way}: {asked.about}",
        *([f"not told labels, since {asked.foreign}"] if is_untold else []),
        f"{scores.nats.mean():.2f}{error} nats per image, "
        f"{scores.bits_per_dim.mean():.4f} bits/dim",
        "most surprising:",
    ]
    lines += [
        f"  {asked.names[number]}  {scores.bits_per_dim[number]:.4f} bits/dim"
        for number in scores.ranking[:LISTED].tolist()
    ]
    return "\n".join(lines)
